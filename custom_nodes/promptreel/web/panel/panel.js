/**
 * The panel as a whole: its parts, its style, and where the editor puts it. Made at its first opening;
 * closing the tab keeps what is in it.
 */
import { language, say } from "../editor/words.js";
import { make } from "./dom.js";
import { Listing } from "./listing.js";
import { mark } from "./nodes.js";
import { Publishing } from "./publishing.js";
import { Sidecar } from "./sidecar.js";

const STYLE = new URL("./panel.css", import.meta.url).href;
let panel = null;

/** Put the panel into the editor's place for it; the editor may ask for that many times. */
export function open(place) {
  ready();
  if (panel.element.parentElement === place) return;
  place.style.height = "100%";
  place.replaceChildren(panel.element);
  panel.sidecar.refresh().then(() => panel.listing.refresh());
  if (panel.publishing.told && panel.publishing.place.childNodes.length) panel.publishing.show();
}

/** The tab has been closed. */
export function close() {
  mark([]);
  panel?.sidecar.leave();
  panel?.element.remove();
}

/** Read the open workflow, as the command does. */
export const begin = () => ready().publishing.begin();

function ready() {
  if (panel?.language !== language()) panel = made();
  return panel;
}

function made() {
  const listing = new Listing(() => sidecar.address);
  const sidecar = new Sidecar(() => listing.refresh());
  const publishing = new Publishing((name) => listing.refresh(name));
  const element = make(
    "div.publish",
    { role: "region", "aria-label": say("publishOpen") },
    make("link", { rel: "stylesheet", href: STYLE }),
    make("h2.heading", { textContent: say("publishOpen") }),
    publishing.element,
    listing.element,
    sidecar.element,
  );
  return { element, listing, sidecar, publishing, language: language() };
}
