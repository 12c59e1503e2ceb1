/**
 * The part of the panel that lists what is published: how to call each, a test of it, its removal.
 */
import { say } from "../editor/words.js";
import { curl, fetchCall } from "./calls.js";
import { Saying, button, labelled, make } from "./dom.js";
import { call, one } from "./routes.js";
import { trialForm } from "./trial.js";

export class Listing {
  /** @param {() => string} address of a running service; "" where there is none */
  constructor(address) {
    this.address = address;
    this.saying = new Saying();
    this.place = make("div");
    this.heading = make("h3.heading", { textContent: say("publishedOnes"), tabIndex: -1 });
    this.element = make("section.section", {}, this.heading, this.saying.element, this.place);
  }

  /** Show what is there now; `open` names the one to be unfolded. */
  async refresh(open = "") {
    const told = await this.saying.guard(() => call("GET", "/promptreel/pipelines"));
    if (!told) return;
    const opened = new Set([open, ...[...this.place.querySelectorAll("details.promptreel-item[open]")].map((one) => one.dataset.name)]);
    const none = make("p.hint", { textContent: say("noneYet") });
    const note = told.note && make("p.hint", { textContent: told.note });
    const rows = told.pipelines.map((row) => this.row(row, opened.has(row.name)));
    this.place.replaceChildren(...[note, ...(rows.length ? rows : [none])].filter(Boolean));
  }

  row(row, open) {
    const named = make("span.name", { textContent: row.name });
    const title = row.title !== row.name && make("span.hint", { textContent: row.title });
    const inner = make("div.inner");
    const item = make("details.item", {}, make("summary", {}, named, " ", title), inner);
    item.dataset.name = row.name;
    item.addEventListener("toggle", () => {
      if (item.open && !inner.childNodes.length) this.saying.guard(() => this.unfold(row, inner));
    });
    item.open = open;
    return item;
  }

  async unfold(row, inner) {
    const about = [row.description, row.error, missing(row.missing)].filter(Boolean);
    inner.append(...about.map((textContent) => make("p.hint", { textContent })));
    if (row.usable) {
      const whole = await call("GET", one(row.name));
      inner.append(heading(say("testIt")), trialForm(whole), heading(say("callIt")), this.calls(row.name));
    }
    inner.append(this.removal(row.name));
  }

  calls(name) {
    const called = { name, address: this.address(), comfyui: location.origin };
    return make("div", {}, copied("curl", curl(called)), copied("fetch()", fetchCall(called)));
  }

  /** Removing asks first. */
  removal(name) {
    const place = make("div.buttons");
    const ask = button(say("remove"), () => {
      const sure = make("p.question", { role: "alert", textContent: say("removeSure", { name }) });
      const keep = button(say("keep"), () => (place.replaceChildren(ask), ask.focus()));
      const remove = button(say("remove"), () => this.remove(name), "danger");
      place.replaceChildren(sure, remove, keep);
      keep.focus();
    });
    place.append(ask);
    return place;
  }

  async remove(name) {
    await this.saying.guard(async () => {
      await call("DELETE", one(name));
      await this.refresh();
      this.saying.say(say("removed", { name }));
      this.heading.focus();
    });
  }
}

const heading = (textContent) => make("h4.heading", { textContent });

function missing({ nodes, models }) {
  const names = [...nodes, ...models.map(({ name, folder }) => `${folder}/${name}`)];
  return names.length ? say("lacks", { names: names.join(", ") }) : "";
}

/** A text with a button that copies it; where the browser forbids that, it is selected. */
function copied(title, text) {
  const area = make("textarea.code", { value: text, readOnly: true, spellcheck: false, rows: text.split("\n").length + 1 });
  const said = make("span.said", { role: "status" });
  const copy = button(say("copy"), async () => {
    area.select();
    const done = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    said.textContent = done ? say("copied") : say("pressCopy");
  });
  copy.setAttribute("aria-label", say("copyWhat", { what: title }));
  return make("div.call", {}, labelled(title, area), make("div.buttons", {}, copy, said));
}
