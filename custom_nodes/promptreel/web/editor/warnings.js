/**
 * What would fail or be changed when the graph runs, told on the node before it does.
 */
import { ANIMATE, STILL, isLinked, widgetValue } from "./graph.js";
import { say } from "./words.js";

const MISSING = "missing: "; // as the loaders' choices begin where no file is
const WHOLE = "whole"; // the framing by which a node doesn't cut to its width and height

/** @returns {string[]} sentences about a node */
export function warningsOf(node) {
  return [...missing(node), ...odd(node)];
}

function missing(node) {
  if (!/^PromptReel.+Model$/.test(node.comfyClass)) return [];
  const gone = (node.widgets ?? []).filter((widget) => needed(node, widget) && isGone(node, widget));
  return gone.length ? [say("missing", { count: gone.length })] : [];
}

/** Whether a file's widget names none that is there; a bare name may lie in a subfolder. */
function isGone(node, widget) {
  const { value } = widget;
  const choices = widget.options?.values;
  if (typeof value !== "string" || !Array.isArray(choices) || isLinked(node, widget.name)) return false;
  if (value.startsWith(MISSING)) return true;
  const bare = (name) => String(name).split(/[\\/]/).pop();
  return !choices.some((choice) => bare(choice) === bare(value));
}

/** The LoRAs of the fast variant are needed only with it. */
function needed(node, widget) {
  return !/lora/.test(widget.name) || widgetValue(node, "fast") === true;
}

function odd(node) {
  if (![ANIMATE, STILL].includes(node.comfyClass)) return [];
  const names = ["width", "height"].filter((name) => !isLinked(node, name));
  const sides = names.map((name) => Number(widgetValue(node, name)));
  const unused = widgetValue(node, "framing") === WHOLE;
  if (unused || !sides.some((side) => side % 2)) return [];
  return [say("odd", { size: sides.map((side) => side - (side % 2)).join("x") })];
}

/** @returns {string[]} sentences about what a model makes otherwise, from /promptreel/take's answer */
export function otherwise(told, asked) {
  if (!told?.model) return [];
  const { model, longest, seconds, size } = told;
  const long = seconds > longest + 0.05;
  const other = size && (size[0] !== asked.width || size[1] !== asked.height);
  return [
    ...(long ? [say("longForModel", { model, asked: seconds, most: longest })] : []),
    ...(other ? [say("sizeForModel", { model, size: size.join("x") })] : []),
  ];
}
