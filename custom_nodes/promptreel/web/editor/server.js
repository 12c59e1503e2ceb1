/**
 * Asks the pack's own routes, and remembers the last answers. Where the pack is older than its page,
 * or the server is away, there is no answer: what asks shows nothing then.
 */
import { app } from "../../../scripts/app.js";

const KEPT = 200;
const answers = new Map();

/**
 * @param {string} path such as "/promptreel/scene"
 * @param {object} body
 * @returns {Promise<object | null>} the answer, {error} for what was refused, or null
 */
export function ask(path, body) {
  const key = `${path} ${JSON.stringify(body)}`;
  if (!answers.has(key)) {
    const answer = post(path, body);
    answers.set(key, answer);
    if (answers.size > KEPT) answers.delete(answers.keys().next().value);
    answer.then((told) => told ?? answers.delete(key));
  }
  return answers.get(key);
}

async function post(path, body) {
  try {
    const answer = await app.api.fetchApi(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return answer.ok || answer.status === 400 ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** The address of a picture that a widget names, such as "promptreel/a.png [input]". */
export function viewURL(name) {
  const [, path, type] = name.match(/^(.*?)(?: \[(input|output|temp)\])?$/s);
  const cut = path.lastIndexOf("/");
  const asked = { filename: path.slice(cut + 1), subfolder: path.slice(0, Math.max(cut, 0)) };
  return app.api.apiURL(`/view?${new URLSearchParams({ ...asked, type: type ?? "input" })}`);
}
