/**
 * Reads the graph: which text, cameras, picture and frame reach a node by links.
 * Knows litegraph's nodes and links; must not know the page or the server.
 *
 * @typedef {{move: string, strength: number, seconds: number, mode: string}} CameraRow
 * @typedef {{text: string, negative: string, cameras: CameraRow[]}} SceneAsked
 * @typedef {{name?: string, element?: HTMLImageElement}} Picture  a file of /view, or what a node shows
 * @typedef {{aspect: string | number, seconds: number, seed: number}} Frame
 */

export const REQUEST = "PromptReelRequest";
export const SCENE = "PromptReelScene";
export const CAMERA = "PromptReelCamera";
export const STILL = "PromptReelStill";
export const ANIMATE = "PromptReelAnimate";
export const MAKER = "PromptReelImageToVideo";

const SCENE_TYPE = "PROMPTREEL_SCENE";
const BYPASSED = 4;
const MUTED = 2;
const FARTHEST = 64; // links that are followed; a graph may be drawn in a circle
const CAMERAS = 32; // as many as the server takes

/** The value of a node's widget, or undefined. */
export function widgetValue(node, name) {
  return node.widgets?.find((widget) => widget.name === name)?.value;
}

/** Whether an input (or the input of a widget) is linked. */
export function isLinked(node, name) {
  return node.inputs?.find((input) => input.name === name)?.link != null;
}

/** What feeds an input: the node and its output, through reroutes and bypassed nodes; else null. */
export function source(node, name, steps = FARTHEST) {
  const slot = node.inputs?.findIndex((input) => input.name === name) ?? -1;
  if (slot < 0 || steps < 0) return null;
  const link = node.getInputLink?.(slot);
  const from = link && node.getInputNode(slot);
  if (!from || from.mode === MUTED) return null;
  if (from.type !== "Reroute" && from.mode !== BYPASSED)
    return { node: from, slot: link.origin_slot };
  const type = from.outputs?.[link.origin_slot]?.type;
  const through = from.inputs?.find((input) => from.type === "Reroute" || input.type === type);
  return through ? source(from, through.name, steps - 1) : null;
}

/** A text input's value: the widget's, or that of the text node it is linked to; else null. */
function textOf(node, name) {
  if (!isLinked(node, name)) return String(widgetValue(node, name) ?? "");
  const found = source(node, name);
  if (!found) return null;
  const output = found.node.outputs?.[found.slot]?.name;
  if (found.node.comfyClass === REQUEST) return textOf(found.node, output);
  const texts = (found.node.widgets ?? []).filter((widget) => typeof widget.value === "string");
  const only = found.node.outputs?.length === 1 && texts.length === 1;
  const linked = (found.node.inputs ?? []).some((input) => input.link != null);
  return only && !linked ? texts[0].value : null;
}

/** What a node that reads a text, or gets a scene, is asked for; null where that isn't known. */
export function sceneOf(node) {
  const cameras = [];
  let at = node;
  for (let steps = 0; at && steps < FARTHEST; steps++) {
    if (at.comfyClass === SCENE || at.comfyClass === REQUEST) {
      const [text, negative] = [textOf(at, "text"), textOf(at, "negative")];
      if (text === null || cameras.length > CAMERAS) return null;
      return { text, negative: negative ?? "", cameras: cameras.reverse() };
    }
    if (at.comfyClass === CAMERA) {
      const row = cameraRow(at);
      if (!row) return null;
      cameras.push(row);
    } else if (at !== node) return null;
    at = source(at, "scene")?.node;
  }
  return null;
}

/** A Camera node's widgets; null where one of them comes by a link. */
function cameraRow(node) {
  const names = ["move", "strength", "seconds", "mode"];
  if (names.some((name) => isLinked(node, name))) return null;
  return Object.fromEntries(names.map((name) => [name, widgetValue(node, name)]));
}

/** The nodes that an output of a type feeds. */
function consumers(node, type) {
  const links = (node.outputs ?? []).filter((o) => o.type === type).flatMap((o) => o.links ?? []);
  return links
    .map((id) => node.graph?.getLink?.(id) ?? node.graph?.links?.[id])
    .map((link) => link && node.graph.getNodeById(link.target_id))
    .filter(Boolean);
}

/** The node that films what a node asks for: itself, or the first one behind it; else null. */
export function filming(node, steps = FARTHEST) {
  if ([ANIMATE, MAKER].includes(node.comfyClass)) return node;
  const next = steps > 0 ? consumers(node, SCENE_TYPE) : [];
  const found = next.find((at) => [ANIMATE, MAKER].includes(at.comfyClass));
  if (found) return found;
  for (const at of next.filter((at) => [CAMERA, "Reroute"].includes(at.comfyClass ?? at.type))) {
    const further = filming(at, steps - 1);
    if (further) return further;
  }
  return null;
}

/** The picture that an image input gets; null: none is linked; {}: one that can't be seen yet. */
export function pictureOf(node, steps = FARTHEST) {
  if (node.comfyClass === REQUEST) return fileOf(node, "image");
  const from = source(node, "image")?.node;
  if (!from || steps < 0) return null;
  if (from.comfyClass === STILL) return pictureOf(from, steps - 1);
  const file = uploadOf(from);
  if (file) return fileOf(from, file);
  return from.imgs?.[0] ? { element: from.imgs[0] } : {};
}

/** The input by which a picture is uploaded to a node, by whoever ships it; undefined: it has none. */
export function uploadOf(node) {
  const { required, optional } = node.constructor?.nodeData?.input ?? {};
  const inputs = Object.entries({ ...required, ...optional });
  return inputs.find(([, spec]) => spec?.[1]?.image_upload)?.[0];
}

function fileOf(node, input) {
  const name = widgetValue(node, input);
  return !isLinked(node, input) && typeof name === "string" && name ? { name } : {};
}

/** The frame that a filming node makes. */
export function frameOf(node) {
  return {
    aspect: aspectOf(node),
    seconds: secondsOf(node),
    seed: isLinked(node, "seed") ? 0 : Number(widgetValue(node, "seed") ?? 0),
  };
}

function aspectOf(node) {
  const from = source(node, "width")?.node;
  if (from?.comfyClass === REQUEST && !isLinked(from, "aspect")) return widgetValue(from, "aspect");
  const [width, height] = [widgetValue(node, "width"), widgetValue(node, "height")].map(Number);
  const known = !isLinked(node, "width") && !isLinked(node, "height") && width > 0 && height > 0;
  return known ? width / height : "source";
}

function secondsOf(node) {
  if (!isLinked(node, "seconds")) return Number(widgetValue(node, "seconds") ?? 0);
  const from = source(node, "seconds")?.node;
  return from?.comfyClass === REQUEST && from !== node ? secondsOf(from) : 0;
}

/** What a node with a video model asks of it, for /promptreel/take; null where that isn't known. */
export function takeOf(node) {
  const loader = node.comfyClass === MAKER ? source(node, "model")?.node : null;
  if (!loader?.comfyClass?.startsWith("PromptReel")) return null;
  const files = (loader.widgets ?? []).filter((widget) => typeof widget.value === "string");
  const number = (name) => (isLinked(node, name) ? 0 : Number(widgetValue(node, name) ?? 0));
  return {
    loader: loader.comfyClass,
    files: Object.fromEntries(files.map((widget) => [widget.name, widget.value])),
    fast: widgetValue(loader, "fast") === true,
    fps: number("fps"),
    width: number("width"),
    height: number("height"),
    seconds: secondsOf(node),
    text: sceneOf(node)?.text ?? "",
  };
}
