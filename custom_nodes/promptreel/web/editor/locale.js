/**
 * Gives the pack's translations back to the editor where they got lost: the frontend of ComfyUI 0.3.75
 * merges those of packs first and then replaces all messages of a language that it loads later. Only
 * the pack's own keys are merged, only if they are missing; where Vue's i18n can't be reached, nothing.
 */
import { language, words } from "./words.js";

const CORE = "g"; // a key that every loaded language of the editor has
const OURS = /^PromptReel|^Publish as pipeline$/;
const PATIENCE = 5000;
const PAUSE = 50;

function messages() {
  const vue = document.querySelector("#vue-app")?.__vue_app__;
  return vue?._context?.provides?.[vue.__VUE_I18N_SYMBOL__]?.global;
}

/** Merge the pack's words of the editor's language, if it has them not. */
export function mend() {
  const [i18n, code] = [messages(), language()];
  if (!i18n?.mergeLocaleMessage || !words()[code]) return;
  const has = i18n.getLocaleMessage(code);
  if (!has?.[CORE] || has.nodeDefs?.PromptReelRequest) return;
  i18n.mergeLocaleMessage(code, ours(words()[code]));
}

/** Wait until the editor has loaded its language (nodes take their names from it), then mend. */
export async function mendAtStart() {
  const end = performance.now() + PATIENCE;
  const loaded = () => !messages() || messages().getLocaleMessage(language())?.[CORE];
  while (!loaded() && performance.now() < end)
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  mend();
}

/** Of what all packs say, this one's. */
function ours(all) {
  const kept = (rows) => Object.fromEntries(Object.entries(rows ?? {}).filter(([key]) => OURS.test(key)));
  return {
    nodeDefs: kept(all.nodeDefs),
    settings: kept(all.settings),
    commands: kept(all.commands),
    settingsCategories: kept(all.settingsCategories),
    menuLabels: kept(all.menuLabels),
    promptreel: all.promptreel ?? {},
  };
}
