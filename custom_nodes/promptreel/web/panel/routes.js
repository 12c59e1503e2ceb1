/**
 * The pack's routes for the panel, and the few of ComfyUI's that it needs. All of them answer JSON; a
 * refusal is thrown as a Refused, whose message is the sentence to show.
 */
import { app } from "../../../scripts/app.js";
import { say } from "../editor/words.js";

/** What the server refused: its sentence, its status, and the open questions if it had any. */
export class Refused extends Error {
  constructor(message, status = 0, questions = []) {
    super(message);
    this.status = status;
    this.questions = questions;
  }
}

/**
 * @param {string} method
 * @param {string} path such as "/promptreel/pipelines"
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function call(method, path, body) {
  const json = body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return answered(await reached(path, { method, ...json }));
}

/** Upload a picture into ComfyUI's input folder. @returns {Promise<string>} the name a widget takes */
export async function upload(file) {
  const body = new FormData();
  body.append("image", file);
  body.append("subfolder", "promptreel");
  const told = await answered(await reached("/upload/image", { method: "POST", body }));
  return told.subfolder ? `${told.subfolder}/${told.name}` : told.name;
}

/** Where a published pipeline is. */
export const one = (name, then = "") => `/promptreel/pipelines/${encodeURIComponent(name)}${then}`;

async function reached(path, options) {
  try {
    return await app.api.fetchApi(path, options);
  } catch {
    throw new Refused(say("away"));
  }
}

async function answered(answer) {
  const told = await answer.json().catch(() => null);
  if (answer.ok) return told;
  const { error } = told ?? {};
  const sentence = typeof error === "string" ? error : error && [error.message, error.details].join(" ").trim();
  throw new Refused(sentence || say("refused", { status: answer.status }), answer.status, told?.questions);
}
