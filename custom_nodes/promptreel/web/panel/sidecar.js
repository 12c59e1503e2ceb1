/**
 * The part of the panel that starts and stops a service for this ComfyUI, off until somebody wants it:
 * its address, and its last jobs with their progress.
 */
import { say } from "../editor/words.js";
import { Saying, make } from "./dom.js";
import { call } from "./routes.js";

const PATH = "/promptreel/sidecar";
const EVERY = 2000;
const STATUSES = ["queued", "running", "succeeded", "failed", "canceled"];

export class Sidecar {
  /** @param {() => void} changed is told when it was started or stopped */
  constructor(changed) {
    this.changed = changed;
    this.told = null;
    this.saying = new Saying();
    this.toggle = make("input", { type: "checkbox", role: "switch", id: "promptreel-sidecar" });
    this.toggle.addEventListener("change", () => this.turn(this.toggle.checked));
    this.place = make("div");
    this.jobs = make("ul.jobs", { "aria-label": say("lastJobs") });
    const label = make("label.switch", { htmlFor: this.toggle.id }, this.toggle, say("serviceRuns"));
    const head = [make("h3.heading", { textContent: say("service") }), make("p.hint", { textContent: say("serviceHint") })];
    this.element = make("section.section", {}, ...head, label, this.saying.element, this.place, this.jobs);
  }

  get address() {
    return this.told?.address ?? "";
  }

  async refresh() {
    const told = await this.saying.guard(() => call("GET", PATH));
    if (told) await this.show(told);
  }

  async turn(run) {
    this.toggle.disabled = true;
    const told = await this.saying.guard(() => {
      this.saying.say(run ? say("starting") : say("stopping"));
      return call("POST", PATH, { run });
    });
    this.toggle.disabled = false;
    this.toggle.focus();
    if (!told) return void (this.toggle.checked = !!this.told?.running);
    this.saying.say("");
    await this.show(told);
    this.changed();
  }

  async show(told) {
    this.told = told;
    this.toggle.checked = told.running;
    this.toggle.disabled = !told.available && !told.running;
    const link = told.address && make("a", { href: told.address, target: "_blank", rel: "noreferrer", textContent: told.address });
    const why = !told.available && make("p.hint", { textContent: told.why });
    const failed = told.state === "failed" && make("p.wrong", { textContent: told.said || say("serviceFailed") });
    this.place.replaceChildren(...[link && make("p", {}, say("serviceAt"), " ", link), why, failed].filter(Boolean));
    clearTimeout(this.next);
    if (told.running) await this.follow();
    else this.jobs.replaceChildren();
  }

  /** Look at its jobs as long as it runs and the panel is seen. */
  async follow() {
    clearTimeout(this.next);
    if (!this.told?.running || !this.element.isConnected) return;
    try {
      const { jobs } = await call("GET", `${PATH}/jobs`);
      this.jobs.replaceChildren(...(jobs.length ? jobs.map(jobRow) : [make("li.hint", { textContent: say("noJobs") })]));
    } catch {
      this.next = setTimeout(() => this.refresh(), EVERY); // it may have ended by itself
      return;
    }
    this.next = setTimeout(() => this.follow(), EVERY);
  }

  leave() {
    clearTimeout(this.next);
  }
}

function jobRow({ id, status, progress, pipeline, result, error }) {
  const words = [say("queued"), say("runningNow"), say("succeeded"), say("failed"), say("canceled")];
  const state = make("span", { textContent: words[STATUSES.indexOf(status)] ?? status });
  const part = progress?.value ?? 0;
  const bar = status === "running" && make("progress", { max: 1, value: part, "aria-label": say("progress") });
  const video = result?.video && make("a", { href: result.video, target: "_blank", rel: "noreferrer", textContent: say("roleVideo") });
  const why = error && make("span.wrong", { textContent: error.error ?? String(error) });
  const name = make("span.name", { textContent: pipeline ?? id, title: id });
  return make("li.job", {}, name, " ", state, " ", bar, " ", video, why);
}
