/**
 * How a new node looks when it is dropped: wide enough for what it says, and a colour by its role.
 * A node of a saved workflow keeps what is saved: its size and colours are set after this.
 */
import { REQUEST, SCENE, CAMERA, STILL, ANIMATE, MAKER } from "./graph.js";

const MODELS = ["PROMPTREEL_VIDEO_MODEL", "PROMPTREEL_IMAGE_MODEL"];
const WIDGET_FONT = "12px Inter, Arial, sans-serif";
const WIDGET_ROOM = 90; // the widget's margins, its arrows, and a gap between name and value
const WIDEST = 800;
const SIZES = {
  [REQUEST]: [360, 600],
  [SCENE]: [360, 200],
  [CAMERA]: [300, 0],
  [STILL]: [300, 0],
  [ANIMATE]: [320, 0],
  [MAKER]: [320, 0],
  PromptReelKeyframe: [320, 0],
  PromptReelResult: [420, 0],
};
const COLORS = {
  input: ["#2f4a3a", "#24382d"],
  scene: ["#5a4126", "#43311e"],
  model: ["#3d3457", "#2e2842"],
  output: ["#274a5c", "#1e3846"],
};

/** Give a new node its size and colour. */
export function dress(node) {
  const [width, height] = SIZES[node.comfyClass] ?? [0, 0];
  const wide = isLoader(node) ? widest(node) : width;
  node.setSize([Math.max(node.size[0], wide), Math.max(node.size[1], height)]);
  const colors = COLORS[roleOf(node)];
  if (!colors || node.color || node.bgcolor) return;
  [node.color, node.bgcolor] = colors;
  const before = node.onConfigure;
  node.onConfigure = function (saved) {
    before?.apply(this, arguments);
    for (const key of ["color", "bgcolor"]) if (!saved[key]) delete this[key];
  };
}

function roleOf(node) {
  if (isLoader(node) || [MAKER, "PromptReelKeyframe"].includes(node.comfyClass)) return "model";
  if ([SCENE, CAMERA].includes(node.comfyClass)) return "scene";
  if (node.comfyClass === REQUEST) return "input";
  return "output";
}

function isLoader(node) {
  return MODELS.includes(node.outputs?.[0]?.type);
}

/** What a missing file's widget says (name, size, folder) is cut in a node of the usual width. */
function widest(node) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = WIDGET_FONT;
  const wide = (widget) => pen.measureText(`${widget.label ?? widget.name}${widget.value}`).width;
  const wanted = Math.max(0, ...(node.widgets ?? []).map(wide)) + WIDGET_ROOM;
  return Math.min(wanted, WIDEST);
}
