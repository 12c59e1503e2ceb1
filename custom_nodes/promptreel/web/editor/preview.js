/**
 * The camera's path on a node's picture: a still with both ends of it, and a button that plays it.
 * Knows the page; the graph is read by `graph.js`, the lines are drawn by `drawing.js`.
 */
import { cornersAt, drawEnds, drawMoment } from "./drawing.js";
import { filming, frameOf, pictureOf, sceneOf } from "./graph.js";
import { fit, panelOf } from "./panel.js";
import { ask, viewURL } from "./server.js";
import { say } from "./words.js";

const TALLEST = 200;
const UNSEEN = { width: 1600, height: 900 }; // of a picture that another node makes later
const STYLE = `position: absolute; right: 6px; bottom: 6px; width: 30px; height: 30px; border: 0;
  border-radius: 15px; background: rgba(0, 0, 0, 0.65); color: #fff; cursor: pointer;
  font: 14px/30px sans-serif; padding: 0;`;
const [PLAY, STOP] = ["\u25b6", "\u25a0"];

const players = new WeakMap();
const pictures = new Map();

/** What the preview of a node depends on; null where there is none. */
export function previewWish(node) {
  const scene = sceneOf(node);
  const film = scene?.text.trim() ? filming(node) : null;
  const picture = film && pictureOf(film);
  if (!picture) return null;
  return { scene, picture, frame: frameOf(film) };
}

/** Show the preview of a wish, or take it away. */
export async function showPreview(node, wish) {
  const picture = wish && (await seen(wish.picture));
  const size = picture ? { width: picture.naturalWidth, height: picture.naturalHeight } : UNSEEN;
  const path = wish && (await ask("/promptreel/path", { ...wish.scene, ...size, ...wish.frame }));
  if (path?.frames) player(node).show(picture, size, path);
  else players.get(node)?.hide();
}

/** Play the path of a node that shows one. */
export function play(node) {
  const shown = players.get(node);
  if (shown?.box.isConnected) shown.play();
}

/** @returns {Promise<HTMLImageElement | null>} */
function seen({ name, element }) {
  if (element) return element.complete && element.naturalWidth ? element : null;
  if (!name) return null;
  if (!pictures.has(name)) {
    if (pictures.size > 20) pictures.clear();
    pictures.set(name, loaded(viewURL(name)));
  }
  return pictures.get(name);
}

async function loaded(url) {
  const picture = new Image();
  picture.src = url;
  return picture.decode().then(
    () => picture,
    () => null,
  );
}

function player(node) {
  if (!players.has(node)) players.set(node, new Player(node));
  return players.get(node);
}

/** The canvas and the button of one node. */
class Player {
  constructor(node) {
    this.node = node;
    this.place = panelOf(node).picture;
    this.box = document.createElement("div");
    Object.assign(this.box.style, { position: "relative", lineHeight: "0" });
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    Object.assign(this.canvas.style, { display: "block", margin: "0 auto", maxWidth: "100%" });
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.style.cssText = STYLE;
    this.button.addEventListener("click", () => (this.playing ? this.stop() : this.play()));
    this.button.addEventListener("pointerdown", (event) => event.stopPropagation());
    this.box.append(this.canvas, this.button);
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  show(picture, size, path) {
    this.stop();
    Object.assign(this, { picture, size, path });
    const before = this.box.isConnected;
    if (this.box.parentElement !== this.place) this.place.append(this.box);
    this.box.style.height = `${TALLEST}px`;
    this.draw();
    if (!before) fit(this.node);
  }

  hide() {
    this.stop();
    this.box.remove();
    fit(this.node);
  }

  play() {
    const began = performance.now();
    this.playing = true;
    const step = (now) => {
      if (!this.playing || !this.box.isConnected) return this.stop();
      const t = (now - began) / 1000 / this.path.seconds;
      if (t >= 1) return this.stop();
      this.draw(t);
      requestAnimationFrame(step);
    };
    this.label();
    requestAnimationFrame(step);
  }

  stop() {
    this.playing = false;
    if (this.path) this.draw();
  }

  label() {
    this.button.textContent = this.playing ? STOP : PLAY;
    this.button.setAttribute("aria-label", say(this.playing ? "stop" : "play"));
    this.button.title = say(this.playing ? "stop" : "play");
    this.canvas.setAttribute("aria-label", say("cameraPath"));
  }

  draw(t) {
    if (!this.path || (this.playing && t === undefined)) return;
    this.label();
    const room = this.box.clientWidth || this.node.size[0] - 20;
    const scale = Math.min(room / this.size.width, TALLEST / this.size.height);
    const [width, height] = [this.size.width * scale, this.size.height * scale];
    this.box.style.height = `${Math.round(height)}px`;
    const sharp = Math.max(window.devicePixelRatio || 1, 1) * 2;
    this.canvas.width = Math.max(Math.round(width * sharp), 1);
    this.canvas.height = Math.max(Math.round(height * sharp), 1);
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    const pen = this.canvas.getContext("2d");
    pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    const { frames } = this.path;
    if (t === undefined)
      drawEnds(pen, width, height, this.picture, frames[0].corners, frames.at(-1).corners);
    else drawMoment(pen, width, height, this.picture, cornersAt(frames, t));
  }
}
