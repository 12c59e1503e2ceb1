/**
 * The part of the panel that publishes the open workflow: read it, confirm what was found, name it.
 */
import { say } from "../editor/words.js";
import { Saying, button, labelled, make } from "./dom.js";
import { mappingRows, takingPart } from "./mapping.js";
import { mark, openGraph, openName } from "./nodes.js";
import { call } from "./routes.js";

const PATH = "/promptreel/pipelines";
const TAKEN = 409;

export class Publishing {
  /** @param {(name: string) => Promise<void>} published is told what has been published */
  constructor(published) {
    this.published = published;
    this.saying = new Saying();
    this.place = make("div");
    this.element = make(
      "section.section",
      {},
      make("p.hint", { textContent: say("publishHint") }),
      button(say("readOpen"), () => this.begin(), "main"),
      this.saying.element,
      this.place,
    );
  }

  /** Read the open workflow from the beginning. */
  async begin() {
    this.settled = { mapping: {}, outputs: {} };
    this.clear();
    await this.saying.guard(() => this.read());
  }

  clear() {
    mark([]);
    this.place.replaceChildren();
  }

  async read() {
    const open = await openGraph();
    const told = await call("POST", `${PATH}/read`, { ...open, ...this.settled });
    Object.assign(this, { told, graph: open.graph });
    this.show();
  }

  /** What is chosen counts at once; a choice that is refused is taken back. */
  async choose(name, chosen) {
    const before = structuredClone(this.settled);
    if (name === "video") this.settled.outputs = { video: chosen };
    else this.settled.mapping[name] = chosen;
    const reading = this.saying.guard(() =>
      this.read().catch((why) => {
        this.settled = before;
        this.show();
        throw why;
      }),
    );
    this.reading = reading;
    await reading;
    this.place.querySelector(`select[data-role="${CSS.escape(name)}"]`)?.focus();
  }

  show() {
    const { told } = this;
    const rows = mappingRows(told, this.graph, (name, chosen) => this.choose(name, chosen));
    const notes = told.notes.map((note) => make("p.hint", { textContent: note }));
    const open = told.questions.length;
    const asked = open && make("p.question", { role: "status", textContent: say("questions", { count: open }) });
    this.place.replaceChildren(rows, ...notes, ...[asked].filter(Boolean), this.form());
    mark(takingPart(told));
  }

  /** Name and title stay what somebody has typed while the mapping is being changed. */
  form() {
    this.name ??= make("input", { type: "text", required: true, maxLength: 64, spellcheck: false });
    this.title ??= make("input", { type: "text", maxLength: 200 });
    if (!this.name.value) this.name.value = suggested(openName());
    const publish = button(say("publish"), () => this.publish(false), "main");
    publish.disabled = !this.told.ok;
    const leave = button(say("cancel"), () => this.clear());
    this.again = make("div");
    const fields = [labelled(say("name"), this.name, say("nameHint")), labelled(say("title"), this.title)];
    const form = make("form", {}, ...fields, make("div.buttons", {}, publish, leave), this.again);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      publish.click();
    });
    return form;
  }

  async publish(replace) {
    await this.reading; // what has just been chosen may change the rest
    if (!this.told.ok) return;
    const name = this.name.value.trim();
    this.again.replaceChildren();
    await this.saying.guard(async () => {
      const open = await openGraph();
      if (shape(open.graph) !== shape(this.graph)) await this.readAnew();
      try {
        await call("POST", PATH, { name, title: this.title.value, replace, ...this.confirmed(open) });
      } catch (why) {
        if (why.status === TAKEN && !replace)
          this.again.append(button(say("replaceIt"), () => this.publish(true), "danger"));
        throw why;
      }
      this.clear();
      this.name.value = this.title.value = "";
      await this.published(name);
      this.saying.say(say("published", { name }));
    });
  }

  /** What was confirmed is of another graph: show what is found in this one, publish nothing. */
  async readAnew() {
    this.settled = { mapping: {}, outputs: {} };
    this.clear();
    await this.read();
    throw new Error(say("changed"));
  }

  /** What the panel shows is what is published, were it found or chosen. */
  confirmed(open) {
    const found = Object.fromEntries(this.told.findings.map(({ name, slots }) => [name, slots]));
    const mapping = { ...found, ...this.settled.mapping };
    const outputs = { video: this.told.outputs.video.node, ...this.settled.outputs };
    return { ...open, mapping, outputs };
  }
}

/** The nodes of a graph and their links: by these a mapping holds, whatever the widgets say. */
function shape(graph) {
  const links = (inputs) => Object.entries(inputs).filter(([, value]) => Array.isArray(value));
  return JSON.stringify(Object.entries(graph).map(([id, node]) => [id, node.class_type, links(node.inputs)]));
}

/** A name that is allowed, of a file's. */
function suggested(title) {
  return title
    .trim()
    .replace(/[^\p{L}\p{N}_.-]+/gu, "-")
    .replace(/^[-._]+|-+$/g, "")
    .slice(0, 64);
}
