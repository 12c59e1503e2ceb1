/**
 * Tries a published pipeline with a picture: upload, bind, run in this ComfyUI, show what was made.
 */
import { app } from "../../../scripts/app.js";
import { say } from "../editor/words.js";
import { Saying, button, labelled, make } from "./dom.js";
import { roleName } from "./places.js";
import { run } from "./queue.js";
import { call, one, upload } from "./routes.js";

const MOVES = /\.(mp4|webm|mkv|mov)$/i;
const OWN = new Set(["image", "text"]);

/** The form of one pipeline. @param {object} whole the answer of GET .../{name} */
export function trialForm(whole) {
  const saying = new Saying();
  const file = make("input", { type: "file", accept: "image/*", required: true });
  const [place] = whole.mapping.text ?? [];
  const own = place && whole.graph[place[0]]?.inputs?.[place[1]];
  const text = place ? make("textarea", { rows: 2, value: own ?? "" }) : null;
  const rest = whole.parameters.filter(({ name }) => !OWN.has(name)).map(fieldOf);
  const bar = make("progress", { max: 1, hidden: true, "aria-label": say("progress") });
  const made = make("div.made");
  const stop = button(say("stop"), () => stopping?.abort());
  let stopping = null;
  stop.hidden = true;

  async function start() {
    made.replaceChildren();
    if (!file.files.length) return saying.fail(say("choosePicture"));
    stopping = new AbortController();
    bar.hidden = stop.hidden = false;
    bar.value = 0;
    saying.say(say("running"));
    try {
      const given = rest.map(({ name, read }) => [name, read()]).filter(([, value]) => value !== undefined);
      const values = { ...Object.fromEntries(given), ...(text && { text: text.value }) };
      values.image = await upload(file.files[0]);
      const { graph } = await call("POST", one(whole.name, "/bind"), { values });
      const outputs = await run(graph, (part) => (bar.value = Math.max(bar.value, part)), stopping.signal);
      made.replaceChildren(shown(outputs, whole.outputs));
      saying.say(say("done"));
    } catch (why) {
      saying.fail(why);
    } finally {
      bar.hidden = stop.hidden = true;
    }
  }

  const more = rest.length && make("details", {}, make("summary", { textContent: say("more") }), ...rest.map((r) => r.element));
  return make(
    "div.trial",
    {},
    labelled(roleName("image"), file),
    text && labelled(roleName("text"), text),
    more,
    make("div.buttons", {}, button(say("test"), start, "main"), stop),
    bar,
    saying.element,
    made,
  );
}

/** A parameter's control; what is left empty is not sent. */
function fieldOf({ name, type, default: usual, minimum, maximum, choices, help }) {
  const options = type === "boolean" ? ["true", "false"] : choices;
  const control = options?.length
    ? make("select", {}, ...["", ...options].map((value) => make("option", { value, textContent: value })))
    : make("input", { type: /^(int|float|number)/.test(type) ? "number" : "text", placeholder: usual ?? "" });
  if (control.type === "number") Object.assign(control, { min: minimum ?? "", max: maximum ?? "", step: "any" });
  const read = () => (control.value === "" ? undefined : control.value);
  return { name, read, element: labelled(roleName(name), control, help ?? "") };
}

/** The video (or the animation) of the outputs, those of the video's node first. */
function shown(outputs, { video }) {
  const rows = [outputs[video], ...Object.values(outputs)].filter(Boolean);
  const files = rows.flatMap((row) => Object.values(row).flat()).filter((file) => file?.filename);
  const file = files.find(({ filename }) => MOVES.test(filename)) ?? files[0];
  if (!file) return make("p.wrong", { textContent: say("nothingMade") });
  const { filename, subfolder = "", type = "output" } = file;
  const src = app.api.apiURL(`/view?${new URLSearchParams({ filename, subfolder, type })}`);
  if (!MOVES.test(filename)) return make("img", { src, alt: filename });
  return make("video", { src, controls: true, loop: true, muted: true, "aria-label": filename });
}
