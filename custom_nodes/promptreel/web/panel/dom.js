/**
 * Small makers of elements for the panel. Knows the page's DOM; must not know nodes or the server.
 */

/**
 * @param {string} tag such as "p" or "button.promptreel-copy"
 * @param {Record<string, any>} [properties] of the element; `on...` are listeners, `aria-...` attributes
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any} the element
 */
export function make(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  element.className = classes.map((one) => `promptreel-${one}`).join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key.includes("-") || key === "role") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.filter((child) => child || child === ""));
  return element;
}

/** A button that can't be pressed again while what it does is still being done. */
export function button(text, press, kind = "plain") {
  const made = make(`button.button.${kind}`, { type: "button", textContent: text });
  made.addEventListener("click", async () => {
    if (made.getAttribute("aria-disabled") === "true") return;
    made.setAttribute("aria-disabled", "true");
    try {
      await press(made);
    } finally {
      made.removeAttribute("aria-disabled");
    }
  });
  return made;
}

let labels = 0;

/** A control with its label above it. */
export function labelled(text, control, hint = "") {
  control.id ||= `promptreel-field-${++labels}`;
  const about = hint && make("span.hint", { id: `${control.id}-hint`, textContent: hint });
  if (about) control.setAttribute("aria-describedby", about.id);
  return make("div.field", {}, make("label", { htmlFor: control.id, textContent: text }), control, about);
}

/** A place for one sentence: what happened (polite), or what went wrong (at once). */
export class Saying {
  constructor() {
    this.good = make("p.said", { role: "status" });
    this.bad = make("p.wrong", { role: "alert" });
    this.element = make("div", {}, this.good, this.bad);
  }

  say(text) {
    [this.good.textContent, this.bad.textContent] = [text, ""];
  }

  fail(why) {
    [this.good.textContent, this.bad.textContent] = ["", why?.message ?? String(why)];
  }

  /** Do something; what it throws is said. @returns {Promise<any>} undefined if it threw */
  async guard(work) {
    try {
      this.say("");
      return await work();
    } catch (why) {
      this.fail(why);
    }
  }
}
