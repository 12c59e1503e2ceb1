/**
 * The pack's own words in the editor's language, from `locales/<language>/main.json`.
 * Until they are there, and for a language that the pack hasn't, they are English.
 */
import { app } from "../../../scripts/app.js";

let known = {};

/** The editor's language: "en", "ru", "zh-TW". */
export function language() {
  return app.extensionManager?.setting?.get("Comfy.Locale") ?? "en";
}

let learning = null;

/** Fetch the words once, whoever asks. */
export const learn = () => (learning ??= fetched());

async function fetched() {
  try {
    const answer = await app.api.fetchApi("/i18n");
    if (answer.ok) known = await answer.json();
  } catch {
    known = {};
  }
}

/** All that packs say, by language: as `/i18n` has it. */
export const words = () => known;

/**
 * @param {string} key of main.json's "promptreel"
 * @param {Record<string, string | number>} [values] for its {places}
 */
export function say(key, values = {}) {
  const code = language();
  const tries = [code, code.split("-")[0], "en"];
  const found = tries.map((one) => known[one]?.promptreel?.[key]).find(Boolean) ?? key;
  return found.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
