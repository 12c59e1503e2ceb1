/**
 * Runs a graph on this ComfyUI beside the open workflow: on a web socket of its own, so that nothing
 * of it appears on the open workflow's nodes. The end is read from the queue and the history; the
 * socket tells only the progress.
 */
import { app } from "../../../scripts/app.js";
import { say } from "../editor/words.js";
import { Refused, call } from "./routes.js";

const EVERY = 700; // milliseconds between looks at the queue
const LOOKS = 3; // without a trace of it, before it is taken for gone

/**
 * @param {object} graph in API format
 * @param {(part: number) => void} progress is told 0 to 1
 * @param {AbortSignal} signal stops it
 * @returns {Promise<Record<string, any>>} the outputs by node. Throws Refused
 */
export async function run(graph, progress, signal) {
  const client = [...crypto.getRandomValues(new Uint32Array(4))].map((n) => n.toString(16)).join("");
  const socket = listen(client, Object.keys(graph).length, progress);
  try {
    await opened(socket);
    const told = await call("POST", "/prompt", { prompt: graph, client_id: client });
    const wrong = Object.values(told.node_errors ?? {}).flatMap((node) => node.errors);
    if (wrong.length) {
      await stop(told.prompt_id);
      throw new Refused(`${wrong[0].message} ${wrong[0].details}`.trim());
    }
    return await ended(told.prompt_id, signal);
  } finally {
    socket.close();
  }
}

function listen(client, count, progress) {
  const url = new URL(app.api.apiURL(`/ws?clientId=${client}`), location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url);
  const parts = new Map();
  socket.onmessage = ({ data }) => {
    const { type, data: told } = typeof data === "string" ? JSON.parse(data) : {};
    if (type === "execution_cached") for (const node of told.nodes) parts.set(node, 1);
    if (type === "progress_state")
      for (const [node, { value, max, state }] of Object.entries(told.nodes ?? {}))
        parts.set(node, state === "finished" ? 1 : value / (max || 1));
    const done = [...parts.values()].reduce((total, part) => total + part, 0);
    progress(Math.min(done / Math.max(count, parts.size), 1));
  };
  return socket;
}

/** Wait until the socket hears, or can't: without it there is a video all the same. */
function opened(socket) {
  if (socket.readyState !== WebSocket.CONNECTING) return null;
  return new Promise((resolve) => {
    for (const type of ["open", "error", "close"]) socket.addEventListener(type, resolve, { once: true });
  });
}

async function ended(id, signal) {
  let missed = 0;
  while (missed < LOOKS) {
    if (signal.aborted) {
      await stop(id);
      throw new Refused(say("stopped"));
    }
    const queue = await call("GET", "/queue");
    const entry = (await call("GET", `/history/${id}`))[id];
    if (entry) return outputsOf(entry);
    const waits = [...queue.queue_running, ...queue.queue_pending].some((row) => row[1] === id);
    missed = waits ? 0 : missed + 1;
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
  throw new Refused(say("gone"));
}

async function stop(id) {
  await call("POST", "/queue", { delete: [id] }).catch(() => null);
  await call("POST", "/interrupt", { prompt_id: id }).catch(() => null);
}

function outputsOf({ status, outputs }) {
  const said = (kind) => status?.messages?.find(([type]) => type === kind)?.[1];
  const error = said("execution_error");
  if (error) throw new Refused(`${error.node_type}: ${String(error.exception_message).trim()}`);
  if (said("execution_interrupted")) throw new Refused(say("stopped"));
  return outputs;
}
