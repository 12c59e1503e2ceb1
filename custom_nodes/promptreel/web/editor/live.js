/**
 * Keeps what nodes show in step with the graph. Typing, links, undo, another node's widget, another
 * renderer: all of them end in other values here, so that a look at the values every now and then
 * replaces a listener for each of them. Nothing is asked while somebody is still typing.
 */
import { app } from "../../../scripts/app.js";
import { ANIMATE, CAMERA, REQUEST, SCENE, sceneOf, takeOf } from "./graph.js";
import { mend } from "./locale.js";
import { showText, showWarnings } from "./panel.js";
import { previewWish, showPreview } from "./preview.js";
import { ask } from "./server.js";
import { otherwise, warningsOf } from "./warnings.js";
import { language } from "./words.js";

const EVERY = 200; // milliseconds; a change that has stood still for one look is shown
const READERS = [REQUEST, SCENE, CAMERA];
const FILMED = [SCENE, CAMERA, ANIMATE];
const seen = new WeakMap();
export const PREVIEW = "PromptReel.PathPreview";
export const LIVE = "PromptReel.LiveText";

/** Look at the open graph from now on. */
export function watch() {
  setInterval(look, EVERY);
}

function look() {
  const graph = app.canvas?.graph ?? app.graph;
  if (document.hidden || !graph) return;
  mend();
  for (const node of graph.nodes ?? graph._nodes)
    if (node.comfyClass?.startsWith("PromptReel")) lookAt(node);
}

function lookAt(node) {
  const wish = wishOf(node);
  const key = JSON.stringify(wish, (name, value) => (name === "element" ? value?.src : value));
  const last = seen.get(node);
  if (!last || last.key !== key) {
    seen.set(node, { key, shown: false });
    if (last) return;
  }
  const now = seen.get(node);
  if (now.shown) return;
  now.shown = true;
  refresh(node, wish, () => seen.get(node) === now);
}

function wishOf(node) {
  const on = (id) => app.extensionManager?.setting?.get(id) !== false;
  const scene = READERS.includes(node.comfyClass) && on(LIVE) ? sceneOf(node) : null;
  return {
    text: scene?.text.trim() ? { ...scene, language: language() } : null,
    preview: FILMED.includes(node.comfyClass) && on(PREVIEW) ? previewWish(node) : null,
    take: takeOf(node),
    warnings: warningsOf(node),
    executed: executed.get(node) ?? "",
  };
}

/** What nodes have said when they ran; shown where nothing is known without running. */
const executed = new WeakMap();

/** Remember what a node has said. */
export function note(node, text) {
  executed.set(node, text);
  seen.delete(node);
  lookAt(node);
}

async function refresh(node, wish, current) {
  const told = wish.text && (await ask("/promptreel/scene", wish.text));
  const take = wish.take && (await ask("/promptreel/take", wish.take));
  if (!current()) return;
  const live = told?.error ?? [told?.understood, told?.note].filter(Boolean).join("\n");
  showText(node, live || wish.executed);
  showWarnings(node, [...wish.warnings, ...otherwise(take, wish.take)]);
  await showPreview(node, wish.preview);
}
