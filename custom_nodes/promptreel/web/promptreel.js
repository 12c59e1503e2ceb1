/**
 * PromptReel in the editor. What nodes show (what was understood, the camera's path, warnings) is
 * stored neither in a workflow nor in a prompt. The work is done by the modules in `editor/`.
 */
import { app } from "../../scripts/app.js";
import { LIVE, PREVIEW, note, watch } from "./editor/live.js";
import { mendAtStart } from "./editor/locale.js";
import { dress } from "./editor/look.js";
import { panelOf } from "./editor/panel.js";
import { play } from "./editor/preview.js";
import { learn } from "./editor/words.js";

const SPEAKERS = new Set([
  "PromptReelScene",
  "PromptReelCamera",
  "PromptReelAnimate",
  "PromptReelKeyframe",
  "PromptReelImageToVideo",
]);
const RESULT = "PromptReelResult";

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
  settings: [
    {
      id: LIVE,
      name: "Show what was understood of a text as it is typed",
      tooltip: "On the Request, Scene and Camera nodes.",
      category: ["PromptReel", "PromptReel nodes", "LiveText"],
      type: "boolean",
      defaultValue: true,
    },
    {
      id: PREVIEW,
      name: "Show the camera's path on the picture",
      tooltip: "On the Scene, Camera and Animate nodes.",
      category: ["PromptReel", "PromptReel nodes", "PathPreview"],
      type: "boolean",
      defaultValue: true,
    },
  ],
  commands: [
    {
      id: "PromptReel.PlayPath",
      label: "PromptReel: play the camera's path of the selected node",
      icon: "pi pi-play",
      function: () => Object.values(app.canvas.selected_nodes ?? {}).forEach(play),
    },
  ],
  async init() {
    await learn();
    await mendAtStart();
  },
  setup() {
    watch();
  },
  nodeCreated(node) {
    if (!node.comfyClass?.startsWith("PromptReel")) return;
    if (node.comfyClass !== RESULT) panelOf(node);
    dress(node);
  },
  beforeRegisterNodeDef(nodeType, nodeData) {
    if (nodeData.name === RESULT) keepPreviewOutOfPrompt(nodeType);
    if (!SPEAKERS.has(nodeData.name)) return;
    const before = nodeType.prototype.onExecuted;
    nodeType.prototype.onExecuted = function (message) {
      before?.apply(this, arguments);
      note(this, (message?.text ?? []).join("\n"));
    };
  },
});
