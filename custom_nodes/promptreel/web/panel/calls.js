/**
 * How a program asks a service for a published pipeline, ready to be copied. Pure.
 */
const USUAL = "http://127.0.0.1:8190"; // where a service listens if nobody says otherwise
const TEXT = "slow push in, sunset, 5 seconds";
const FOUND_BY_ITSELF = "8188"; // the port on which a service looks for a ComfyUI

/**
 * @typedef {{name: string, address: string, comfyui: string}} Called  `address` of the service; "":
 *   the usual one. `comfyui` is this server's; it must be named where a service would not find it.
 */

/** @param {Called} called */
export function curl({ name, address, comfyui }) {
  const url = address || USUAL;
  const server = named(address, comfyui) ? ` -F serverUrl=${shell(comfyui)}` : "";
  return [
    `curl -F image=@photo.jpg ${url}/api/upload`,
    `# {"imageUrl": "..."}: put it into the next line`,
    `curl -F imageUrl=PASTE_IT_HERE -F text=${shell(TEXT)} -F comfyPipeline=${shell(name)}${server} ${url}/api/generate`,
  ].join("\n");
}

/** @param {Called} called */
export function fetchCall({ name, address, comfyui }) {
  const server = named(address, comfyui) ? [`ask.append("serverUrl", ${JSON.stringify(comfyui)});`] : [];
  return [
    `const url = ${JSON.stringify(address || USUAL)};`,
    `const upload = new FormData();`,
    `upload.append("image", file); // a File of an <input type="file">`,
    `const { imageUrl } = await (await fetch(url + "/api/upload", { method: "POST", body: upload })).json();`,
    `const ask = new FormData();`,
    `ask.append("imageUrl", imageUrl);`,
    `ask.append("text", ${JSON.stringify(TEXT)});`,
    `ask.append("comfyPipeline", ${JSON.stringify(name)});`,
    ...server,
    `const made = await (await fetch(url + "/api/generate", { method: "POST", body: ask })).json();`,
    `console.log(made.video ?? made.error);`,
  ].join("\n");
}

/** A service that the panel has started knows its ComfyUI. */
const named = (address, comfyui) => !address && new URL(comfyui).port !== FOUND_BY_ITSELF;

const shell = (text) => (/^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
