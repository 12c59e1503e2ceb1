/**
 * The open graph for the panel: reads it as the editor would send it, finds the node of an id of that,
 * shows it, and outlines the nodes that take part. Outlines are drawn, never stored in a workflow.
 */
import { app } from "../../../scripts/app.js";

const MARK = "promptreel";
const COLOR = "#d0894a";
const LIVELY = 1000; // milliseconds between looks for nodes that Nodes 2.0 has drawn anew

/** The open workflow by the editor's own conversion, and the model files that its nodes name. */
export async function openGraph() {
  const { output, workflow } = await app.graphToPrompt();
  return { graph: output, models: modelsOf(workflow) };
}

/** The open workflow's name, without a folder and an ending. */
export function openName() {
  const { activeWorkflow } = app.extensionManager?.workflow ?? {};
  return activeWorkflow?.isPersisted ? (activeWorkflow.filename ?? "") : "";
}

function modelsOf(workflow) {
  const inner = (workflow?.definitions?.subgraphs ?? []).flatMap((one) => one.nodes ?? []);
  const nodes = [...(workflow?.nodes ?? []), ...inner];
  return nodes.flatMap((node) => node.properties?.models ?? []);
}

/** The node of an id such as "12", or "12:3" inside of a subgraph; null if there is none. */
export function nodeOf(id) {
  let [graph, node] = [app.rootGraph ?? app.graph, null];
  for (const part of String(id).split(":")) {
    node = graph?.getNodeById?.(/^\d+$/.test(part) ? Number(part) : part);
    graph = node?.subgraph;
  }
  return node ?? null;
}

/** What people call a node. */
export function titleOf(id, fallback) {
  return nodeOf(id)?.title || fallback;
}

/** What people call an input of a node. */
export function inputTitle(id, name) {
  const widget = nodeOf(id)?.widgets?.find((one) => one.name === name);
  return widget?.label || name;
}

/** Select a node and bring it to the middle; opens the subgraph that it is in. */
export function show(id) {
  const [node, canvas] = [nodeOf(id), app.canvas];
  if (!node || !canvas) return;
  if (node.graph && canvas.graph !== node.graph) canvas.setGraph?.(node.graph);
  if (canvas.selectItems) canvas.selectItems([node]);
  else canvas.selectNode?.(node);
  canvas.centerOnNode(node);
}

const marked = new Map();
let watching = 0;

/** Outline these nodes and no others. @param {Iterable<string>} ids */
export function mark(ids) {
  for (const [id, node] of marked) delete node.strokeStyles?.[MARK], outline(id, "");
  marked.clear();
  for (const id of ids) {
    const node = nodeOf(id);
    if (!node) continue;
    marked.set(id, node);
    if (node.strokeStyles) node.strokeStyles[MARK] = () => ({ color: COLOR, lineWidth: 3, padding: 4 });
  }
  clearInterval(watching);
  if (marked.size) watching = setInterval(outlineAll, LIVELY);
  outlineAll();
  app.canvas?.setDirty(true, true);
}

function outlineAll() {
  for (const id of marked.keys()) outline(id, `3px solid ${COLOR}`);
}

/** Nodes 2.0 draws nodes as elements. */
function outline(id, style) {
  const last = String(id).split(":").pop();
  const element = document.querySelector(`.lg-node[data-node-id="${CSS.escape(last)}"]`);
  if (element) element.style.outline = app.canvas?.graph === nodeOf(id)?.graph ? style : "";
}
