/**
 * What was found in the open workflow, one row each: what it is, which widget takes it, and the choice
 * of another. Knows the answer of /promptreel/pipelines/read; asks nothing itself.
 */
import { say } from "../editor/words.js";
import { button, make } from "./dom.js";
import { show } from "./nodes.js";
import { allPlaces, nodeName, placesName, roleName } from "./places.js";

/**
 * @param {object} told the answer of .../read
 * @param {object} graph in API format
 * @param {(name: string, chosen: any) => void} choose a place list, or the node of "video"
 */
export function mappingRows(told, graph, choose) {
  const video = told.outputs.video;
  return make(
    "ul.rows",
    { "aria-label": say("found") },
    ...told.findings.map((finding) => inputRow(finding, graph, choose)),
    row("video", video, [video.node].filter(Boolean), graph, videoSelect(video, graph, choose)),
  );
}

/** The nodes that take part. */
export function takingPart(told) {
  const inputs = told.findings.flatMap((finding) => finding.slots.map(([id]) => id));
  return new Set([...inputs, told.outputs.video.node, told.outputs.image.node].filter(Boolean));
}

function inputRow(finding, graph, choose) {
  const ids = [...new Set(finding.slots.map(([id]) => id))];
  return row(finding.name, finding, ids, graph, slotSelect(finding, graph, choose));
}

function row(name, { question }, ids, graph, select) {
  const places = ids.map((id) => {
    const shown = button(`#${id}`, () => show(id), "link");
    shown.title = say("showNode", { node: nodeName(graph, id) });
    shown.setAttribute("aria-label", shown.title);
    return shown;
  });
  const line = make(
    "li.row",
    {},
    make("span.role", { textContent: roleName(name) }),
    make("div.choice", {}, select, ...places),
    question && make("p.question", { textContent: question }),
  );
  line.classList.toggle("promptreel-open", !!question);
  line.dataset.role = name;
  line.addEventListener("click", (event) => {
    if (ids.length && !event.target.closest("select, button")) show(ids[0]);
  });
  return line;
}

function slotSelect(finding, graph, choose) {
  const open = finding.question !== "";
  const near = [finding.slots, ...finding.candidates].filter((slots) => slots.length);
  const known = new Set(near.map(keyOf));
  const others = allPlaces(graph, finding.name).filter((slots) => !known.has(keyOf(slots)));
  const option = (slots) => choiceOf(keyOf(slots), placesName(graph, slots));
  const rest = make("optgroup", { label: say("otherWidgets") }, ...others.map(option));
  const options = [...unique(near).map(option), option([]), others.length && rest];
  const select = selectOf(finding.name, open, options);
  select.value = open ? "" : keyOf(finding.slots);
  select.addEventListener("change", () => select.value && choose(finding.name, JSON.parse(select.value)));
  return select;
}

function videoSelect(video, graph, choose) {
  const ids = [...new Set([video.node, ...video.candidates])].filter(Boolean);
  const select = selectOf("video", !video.node, ids.map((id) => choiceOf(id, nodeName(graph, id))));
  select.value = video.node ?? "";
  select.addEventListener("change", () => select.value && choose("video", select.value));
  return select;
}

function selectOf(name, open, options) {
  const first = open && choiceOf("", say("choose"));
  const select = make("select", { "aria-label": say("goesTo", { what: roleName(name) }) }, first, ...options);
  select.dataset.role = name;
  return select;
}

const choiceOf = (value, text) => make("option", { value, textContent: text });
const keyOf = (slots) => JSON.stringify(slots);
const unique = (rows) => [...new Map(rows.map((slots) => [keyOf(slots), slots])).values()];
