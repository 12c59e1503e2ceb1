/**
 * PromptReel in the editor: nodes that read a text show what they understood, and nodes with a model
 * show what they make. It comes with the node's result (`ui.text`); it is stored neither in a workflow
 * nor in a prompt. A new model loader is as wide as what its file widgets say.
 */
import { app } from "../../scripts/app.js";

const NODES = new Set([
  "PromptReelScene",
  "PromptReelCamera",
  "PromptReelAnimate",
  "PromptReelKeyframe",
  "PromptReelImageToVideo",
]);
const MODELS = ["PROMPTREEL_VIDEO_MODEL", "PROMPTREEL_IMAGE_MODEL"];
const RESULT = "PromptReelResult";
const WIDGET = "understood";
const LINE_HEIGHT = 18;
const LETTERS_PER_LINE = 40;
const WIDGET_FONT = "12px Inter, Arial, sans-serif";
const WIDGET_ROOM = 90; // the widget's margins, its arrows, and a gap between name and value
const WIDEST = 800;

function box() {
  const element = document.createElement("div");
  Object.assign(element.style, {
    boxSizing: "border-box",
    padding: "4px 8px",
    overflowY: "auto",
    borderLeft: "3px solid #d0894a",
    background: "var(--comfy-input-bg)",
    color: "var(--input-text)",
    font: `13px/${LINE_HEIGHT}px sans-serif`,
    whiteSpace: "pre-wrap",
    userSelect: "text",
  });
  return element;
}

function textWidget(node) {
  const known = node.widgets?.find((widget) => widget.name === WIDGET);
  if (known) return known;
  const element = box();
  const lines = (total, line) => total + Math.ceil((line.length || 1) / LETTERS_PER_LINE);
  const height = () => 8 + LINE_HEIGHT * element.textContent.split("\n").reduce(lines, 1);
  const widget = node.addDOMWidget(WIDGET, "promptreel_text", element, {
    serialize: false,
    hideOnZoom: false,
    getMinHeight: height,
    getMaxHeight: height,
    getValue: () => element.textContent,
    setValue: (text) => (element.textContent = text),
  });
  widget.serialize = false;
  return widget;
}

function show(node, lines) {
  const text = (lines ?? []).join("\n");
  if (!text && !node.widgets?.some((widget) => widget.name === WIDGET)) return;
  textWidget(node).value = text;
  const [width, height] = node.computeSize();
  node.setSize([Math.max(node.size[0], width), Math.max(node.size[1], height)]);
  node.setDirtyCanvas(true, true);
}

/** What a missing file's widget says (name, size, folder) is cut in a node of the usual width. */
function widen(node) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = WIDGET_FONT;
  const wide = (widget) => pen.measureText(`${widget.label ?? widget.name}${widget.value}`).width;
  const wanted = Math.max(...(node.widgets ?? []).map(wide)) + WIDGET_ROOM;
  node.setSize([Math.max(node.size[0], Math.min(wanted, WIDEST)), node.size[1]]);
}

/**
 * The editor's own video widget would become an input of the next prompt, so that running an
 * unchanged graph again would render and save it again.
 */
function keepPreviewOutOfPrompt(nodeType) {
  const add = nodeType.prototype.addDOMWidget;
  nodeType.prototype.addDOMWidget = function (name, type, element, options) {
    return add.call(this, name, type, element, { ...options, serialize: false });
  };
}

app.registerExtension({
  name: "promptreel.nodes",
  nodeCreated(node) {
    const ours = node.comfyClass?.startsWith("PromptReel");
    if (ours && MODELS.includes(node.outputs?.[0]?.type)) widen(node);
  },
  beforeRegisterNodeDef(nodeType, nodeData) {
    if (nodeData.name === RESULT) keepPreviewOutOfPrompt(nodeType);
    if (!NODES.has(nodeData.name)) return;
    const before = nodeType.prototype.onExecuted;
    nodeType.prototype.onExecuted = function (message) {
      before?.apply(this, arguments);
      show(this, message?.text);
    };
  },
});
