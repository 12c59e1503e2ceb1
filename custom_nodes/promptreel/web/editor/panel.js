/**
 * The place below a node's widgets where the pack shows something: a picture, warnings, a text.
 * One DOM widget per node; both of the editor's renderers show it. It has no part in the prompt or
 * in a saved workflow. It is there from a node's first moment, of no height while it is empty: Nodes
 * 2.0 never shows a widget that comes after the node's first link.
 */

const WIDGET = "understood";
const LINE_HEIGHT = 18;
const LETTERS_PER_LINE = 40;
const MARGIN = 8;
const TEXT = {
  padding: "4px 8px",
  font: `13px/${LINE_HEIGHT}px sans-serif`,
  background: "var(--comfy-input-bg)",
  color: "var(--input-text)",
  whiteSpace: "pre-wrap",
  overflowWrap: "anywhere",
};
const PARTS = {
  panel: { boxSizing: "border-box", overflow: "hidden", userSelect: "text" },
  inner: { display: "flex", flexDirection: "column", gap: "4px" },
  picture: { display: "none" },
  warnings: { ...TEXT, borderLeft: "3px solid #e0b000", display: "none" },
  text: { ...TEXT, borderLeft: "3px solid #d0894a", display: "none" },
};

const panels = new WeakMap();

/** @typedef {{inner: HTMLElement, text: HTMLElement, warnings: HTMLElement, picture: HTMLElement}} Panel */

/** @returns {Panel} the panel of a node; the first call makes it */
export function panelOf(node) {
  if (!panels.has(node)) panels.set(node, made(node));
  return panels.get(node);
}

/** Show a text; "" hides it. */
export function showText(node, text) {
  put(node, "text", text);
}

/** Show warnings, one a line. */
export function showWarnings(node, lines) {
  put(node, "warnings", lines.map((line) => `\u26a0 ${line}`).join("\n"));
}

function put(node, part, text) {
  const known = panels.get(node)?.[part].textContent ?? "";
  if (known === text) return;
  const panel = panelOf(node);
  panel[part].textContent = text;
  fit(node);
}

/** Make room in the node for what its panel holds now; what is empty takes none. */
export function fit(node) {
  const { picture, warnings, text } = panelOf(node);
  for (const one of [picture, warnings, text]) one.style.display = one.childNodes.length ? "" : "none";
  requestAnimationFrame(() => {
    const [width, height] = node.computeSize();
    if (node.size[0] < width || node.size[1] < height)
      node.setSize([Math.max(node.size[0], width), Math.max(node.size[1], height)]);
    node.setDirtyCanvas?.(true, true);
  });
}

function made(node) {
  const [element, inner, picture, warnings, text] = Object.keys(PARTS).map(part);
  warnings.setAttribute("role", "status");
  inner.append(picture, warnings, text);
  element.append(inner);
  const empty = () => ![picture, warnings, text].some((one) => one.childNodes.length);
  const full = () => MARGIN + (inner.offsetHeight || guessed(picture, warnings, text));
  const height = () => (empty() ? 0 : full());
  const widget = node.addDOMWidget(WIDGET, "promptreel_text", element, {
    serialize: false,
    hideOnZoom: false,
    margin: MARGIN / 2,
    getMinHeight: height,
    getMaxHeight: height,
    getValue: () => text.textContent,
    setValue: () => {},
  });
  widget.serialize = false;
  return { inner, text, warnings, picture };
}

/** The height of a panel that isn't on the page yet. */
function guessed(picture, ...texts) {
  const lines = (total, line) => total + Math.ceil((line.length || 1) / LETTERS_PER_LINE);
  const shown = texts.filter((one) => one.textContent);
  const written = shown.map((one) => one.textContent.split("\n").reduce(lines, 0) * LINE_HEIGHT + 12);
  return written.reduce((total, one) => total + one, picture.childElementCount ? 180 : 0);
}

function part(name) {
  const element = document.createElement("div");
  element.className = `promptreel-${name}`;
  Object.assign(element.style, PARTS[name]);
  return element;
}
