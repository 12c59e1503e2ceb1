/**
 * Draws the camera's path: the picture, the frame at the start and at the end, and one in between.
 * Knows a canvas' pen and the path's corners (0 to 1 of the picture); must not know nodes.
 */

const START = "#ffb060";
const END = "#5cc8ff";
const GREY = "#6b6f76";
const SHADE = "rgba(0, 0, 0, 0.55)";

/**
 * @param {CanvasRenderingContext2D} pen of a canvas `width` x `height`
 * @param {CanvasImageSource | null} picture
 * @param {number[][]} start corners, clockwise from the frame's top left one
 * @param {number[][]} end
 */
export function drawEnds(pen, width, height, picture, start, end) {
  background(pen, width, height, picture);
  shade(pen, width, height, [start, end]);
  outline(pen, width, height, end, END, [6, 4]);
  outline(pen, width, height, start, START, []);
}

/** Draw the frame at one moment; everything beside it is dark. */
export function drawMoment(pen, width, height, picture, corners) {
  background(pen, width, height, picture);
  shade(pen, width, height, [corners]);
  outline(pen, width, height, corners, START, []);
}

/** The corners at `t`, between the path's samples. */
export function cornersAt(frames, t) {
  const at = Math.min(Math.max(t, 0), 1) * (frames.length - 1);
  const first = Math.min(Math.floor(at), frames.length - 2);
  const part = at - first;
  const [a, b] = [frames[first].corners, frames[first + 1].corners];
  return a.map((corner, i) => corner.map((v, axis) => v + (b[i][axis] - v) * part));
}

function background(pen, width, height, picture) {
  pen.fillStyle = GREY;
  pen.fillRect(0, 0, width, height);
  if (picture) pen.drawImage(picture, 0, 0, width, height);
}

function shade(pen, width, height, shapes) {
  // what is in one of the shapes stays bright: cut them out of the shade, one after the other
  const cover = new OffscreenCanvas(Math.max(pen.canvas.width, 1), Math.max(pen.canvas.height, 1));
  const dark = cover.getContext("2d");
  dark.setTransform(pen.getTransform());
  dark.fillStyle = SHADE;
  dark.fillRect(0, 0, width, height);
  dark.globalCompositeOperation = "destination-out";
  dark.fillStyle = "#000";
  for (const corners of shapes) dark.fill(shape(width, height, corners));
  pen.save();
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.drawImage(cover, 0, 0);
  pen.restore();
}

function outline(pen, width, height, corners, color, dashes) {
  const path = shape(width, height, corners);
  pen.lineJoin = "round";
  pen.setLineDash([]);
  pen.lineWidth = 4;
  pen.strokeStyle = "rgba(0, 0, 0, 0.5)";
  pen.stroke(path);
  pen.setLineDash(dashes);
  pen.lineWidth = 2;
  pen.strokeStyle = color;
  pen.stroke(path);
  pen.setLineDash([]);
}

function shape(width, height, corners) {
  const path = new Path2D();
  const inset = (v, most) => Math.min(Math.max(v * most, 1), most - 1);
  corners.forEach(([x, y], i) =>
    path[i ? "lineTo" : "moveTo"](inset(x, width), inset(y, height)),
  );
  path.closePath();
  return path;
}
