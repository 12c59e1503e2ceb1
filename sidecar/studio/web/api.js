/** Calls of the service: the key goes with them, failures become ApiError. Must not know the page. */

import { recall } from './memory.js'

/** Where the service is reached: the page's own folder's parent. */
export const ROOT = new URL('../', import.meta.url)
const KEY = 'key'

/** A failure in the words of the service. `code` never changes with the wording. */
export class ApiError extends Error {
  constructor(status, body) {
    super(body.error)
    this.status = status
    this.code = body.code ?? 'other'
    this.details = body.details ?? ''
    this.fields = body.fields ?? {}
  }
}

let askForKey = async (wrong) => { void wrong; return false }

/** Take what asks a person for a key; it tells whether there is a new one. */
export function askingBy(ask) {
  askForKey = ask
}

/** Send a request; return its answer if it is a yes. Raises ApiError. A 401 asks for a key. */
export async function call(path, { headers = {}, ...rest } = {}) {
  for (;;) {
    const key = recall(KEY)
    const all = key ? { ...headers, Authorization: `Bearer ${key}` } : headers
    const response = await reached(new URL(path, ROOT), { ...rest, headers: all })
    if (response.ok) return response
    const failure = await failed(response)
    if (response.status !== 401 || !(await askForKey(Boolean(key), key))) throw failure
  }
}

/** Send a request; return the JSON of its answer. */
export const json = async (path, options) => (await call(path, options)).json()

/** Send values as JSON. */
export const post = (path, values, options = {}) => json(path, {
  method: 'POST',
  body: JSON.stringify(values),
  ...options,
  headers: { 'Content-Type': 'application/json', ...options.headers },
})

/** Return a file's address as this page reaches it, whatever host the answer names. */
export function fileAt(url) {
  const name = new URL(url, ROOT).pathname.split('/').pop()
  return new URL(`api/files/${name}`, ROOT).href
}

/** Return a word that nobody else has; crypto.randomUUID is missing on plain-http pages. */
export function unique() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function reached(url, options) {
  try {
    return await fetch(url, { cache: 'no-store', ...options })
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw new ApiError(0, { error: 'The service does not answer.', details: url.origin, code: 'network' })
  }
}

async function failed(response) {
  try {
    return new ApiError(response.status, await response.json())
  } catch {
    return new ApiError(response.status, { error: `The service answered ${response.status}.` })
  }
}
