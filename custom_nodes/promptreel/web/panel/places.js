/**
 * Where a value goes in a graph: places `[node, input]`, told in words and offered as choices.
 * Pure but for the nodes' titles.
 */
import { say } from "../editor/words.js";
import { inputTitle, titleOf } from "./nodes.js";

const TEXTS = new Set(["image", "text", "negative"]);
const SHOWN = 24; // characters of a value

/** What a parameter is called; one that the pack doesn't know keeps its name. */
export function roleName(name) {
  switch (name) {
    case "image":
      return say("roleImage");
    case "text":
      return say("roleText");
    case "negative":
      return say("roleNegative");
    case "seed":
      return say("roleSeed");
    case "seconds":
      return say("roleSeconds");
    case "frames":
      return say("roleFrames");
    case "width":
      return say("roleWidth");
    case "height":
      return say("roleHeight");
    case "fps":
      return say("roleFps");
    case "aspect":
      return say("roleAspect");
    case "resolution":
      return say("roleResolution");
    case "steps":
      return say("roleSteps");
    case "video":
      return say("roleVideo");
    default:
      return name;
  }
}

/** A node in words. */
export const nodeName = (graph, id) =>
  `${titleOf(id, graph[id]?._meta?.title ?? graph[id]?.class_type ?? "")} #${id}`;

/** Places in words. */
export function placesName(graph, slots) {
  if (!slots.length) return say("nowhere");
  const name = ([id, input]) =>
    `${withValue(inputTitle(id, input), graph[id]?.inputs?.[input])} \u2013 ${nodeName(graph, id)}`;
  return slots.map(name).join(", ");
}

function withValue(name, value) {
  if (value === undefined || value === "" || Array.isArray(value)) return name;
  const text = String(value).replace(/\s+/g, " ");
  return `${name}: ${text.length > SHOWN ? `${text.slice(0, SHOWN)}\u2026` : text}`;
}

/** All widgets of a graph that could hold a value of a role: lists of one place. */
export function allPlaces(graph, role) {
  const fits = (value) => (TEXTS.has(role) ? typeof value === "string" : typeof value === "number");
  return Object.entries(graph).flatMap(([id, node]) =>
    Object.entries(node.inputs ?? {})
      .filter(([, value]) => fits(value))
      .map(([input]) => [[id, input]]),
  );
}
