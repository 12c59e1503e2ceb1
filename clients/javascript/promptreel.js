// @ts-check
/**
 * A picture and a sentence become a video: a client of the PromptReel service.
 *
 * One file, no dependencies; browsers and Node 18 or newer. Types are in JSDoc, so that an editor
 * and `tsc --checkJs` know them.
 *
 *     import { PromptReel } from './promptreel.js'
 *
 *     const reel = new PromptReel({ url: 'http://127.0.0.1:8190' })
 *     const made = await reel.generate(file, 'slow push in, sunset', {
 *       onProgress: (job) => console.log(job.status, job.progress.value),
 *     })
 *     player.src = made.video
 *
 * Every call can be sent again without harm, and is, after a lost connection: pictures are known by
 * their content, jobs by an Idempotency-Key. Events are read by fetch, not by EventSource, so that
 * the key can be sent. Whatever ends `generate` early cancels its job.
 */

/** @typedef {'queued' | 'running' | 'succeeded' | 'failed' | 'canceled'} Status */
/**
 * How far a job is; `value` in 0..1 never goes back.
 * @typedef {{ value: number, message: string, node: string | null, step: number | null,
 *   steps: number | null }} Progress
 */
/**
 * What was made; `image` is the still that the video starts from.
 * @typedef {{ video: string, image: string, jobId: string, isDemo?: boolean,
 *   workflowResponse?: Record<string, unknown> }} Result
 */
/**
 * Why something was refused or failed.
 * @typedef {{ error: string, details: string, code: string, fields?: Record<string, string> }}
 *   Failure
 */
/**
 * @typedef {{ id: string, status: Status, progress: Progress, queuePosition: number | null,
 *   pipeline: string, createdAt: string, startedAt: string | null, finishedAt: string | null,
 *   result: Result | null, error: Failure | null,
 *   urls: { self: string, events: string, cancel: string } }} Job
 */
/**
 * A small picture of what is being made: `data` is base64.
 * @typedef {{ mime: string, data: string }} Preview
 */
/**
 * @typedef {{ name: 'status' | 'result', id: string, data: Job }
 *   | { name: 'progress', id: string, data: Progress }
 *   | { name: 'preview', id: string, data: Preview }} Event
 */
/**
 * `params`: what the pipeline takes (seconds, resolution, seed, comfyPipeline...).
 * @typedef {{ params?: Record<string, string | number | boolean>, idempotencyKey?: string,
 *   signal?: AbortSignal, onProgress?: (job: Job) => void, onPreview?: (preview: Preview) => void }}
 *   Options
 */

const BUSY = [429, 502, 503, 504] // to be tried again later
const ENDED = ['succeeded', 'failed', 'canceled']
const LONGEST_PAUSE = 5000
const SILENCE = 60_000 // after which a stream is taken for lost; the service says something sooner

/** The service said no, or could not do it. */
export class PromptReelError extends Error {
  /**
   * @param {number} status
   * @param {Partial<Failure>} body
   * @param {number} [retryAfter] in seconds
   */
  constructor(status, body, retryAfter = 0) {
    super(body.error ?? `The service answered with status ${status}.`)
    this.name = 'PromptReelError'
    this.status = status
    this.code = body.code ?? ''
    this.details = body.details ?? ''
    this.fields = body.fields ?? {}
    this.retryAfter = retryAfter
  }
}

/** The service can't be reached. */
export class Away extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message)
    this.name = 'Away'
  }
}

export class PromptReel {
  #url
  #key
  #patience
  #fetch

  /**
   * `patience`: milliseconds for which a call is sent again while the service is away or busy.
   * @param {{ url?: string, key?: string, patience?: number, fetch?: typeof fetch }} [options]
   */
  constructor({ url = '', key = '', patience = 60_000, fetch: own = fetch } = {}) {
    this.#url = url.replace(/\/+$/, '')
    this.#key = key
    this.#patience = patience
    /** @type {typeof fetch} */
    this.#fetch = (input, init) => own(input, init)
  }

  /**
   * Make a video and wait for it. `picture`: a File or Blob, or an address.
   * @param {Blob | string} picture
   * @param {string} text
   * @param {Options} [options]
   * @returns {Promise<Result>}
   */
  async generate(picture, text, options = {}) {
    const job = await this.submit(picture, text, options)
    try {
      const ended = await this.#ended(job, options)
      if (ended.result) return ended.result
      const canceled = { error: 'The job was canceled.', code: 'job_canceled' }
      throw new PromptReelError(500, ended.error ?? canceled)
    } catch (error) {
      if (!(error instanceof PromptReelError)) await this.#giveUp(job.id)
      throw error
    }
  }

  /**
   * Upload a picture and return its address; the same picture has the same one.
   * @param {Blob} picture
   * @param {AbortSignal} [signal]
   * @returns {Promise<string>}
   */
  async upload(picture, signal) {
    const body = new FormData()
    body.append('image', picture, 'picture')
    const { imageUrl } = await this.#json('POST', '/api/upload', { body, signal })
    return imageUrl
  }

  /**
   * Ask for a video and return the job at once.
   * @param {Blob | string} picture
   * @param {string} text
   * @param {Options} [options]
   * @returns {Promise<Job>}
   */
  async submit(picture, text, { params = {}, idempotencyKey, signal } = {}) {
    const imageUrl = typeof picture === 'string' ? picture : await this.upload(picture, signal)
    return this.#json('POST', '/api/generate', {
      body: JSON.stringify({ ...params, imageUrl, text }),
      headers: {
        'Content-Type': 'application/json',
        'Idempotency-Key': idempotencyKey ?? newKey(),
        Prefer: 'respond-async',
      },
      signal,
    })
  }

  /**
   * @param {string} id
   * @param {AbortSignal} [signal]
   * @returns {Promise<Job>}
   */
  job(id, signal) {
    return this.#json('GET', `/api/jobs/${encodeURIComponent(id)}`, { signal })
  }

  /**
   * Ask for a job to be stopped; asking again changes nothing.
   * @param {string} id
   * @returns {Promise<Job>}
   */
  cancel(id) {
    return this.#json('POST', `/api/jobs/${encodeURIComponent(id)}/cancel`, {})
  }

  /**
   * A job's events until the stream ends; throws Away when it breaks. `lastId` resumes.
   * @param {string} id
   * @param {{ lastId?: string, signal?: AbortSignal }} [options]
   * @returns {AsyncGenerator<Event>}
   */
  async *events(id, { lastId = '', signal } = {}) {
    /** @type {Record<string, string>} */
    const headers = { Accept: 'text/event-stream', ...(lastId && { 'Last-Event-ID': lastId }) }
    const silence = new Silence(signal)
    try {
      const path = `/api/jobs/${encodeURIComponent(id)}/events`
      const response = await this.#once('GET', path, { headers, signal: silence.signal })
      if (response.body) yield* readEvents(response.body, silence)
    } catch (error) {
      signal?.throwIfAborted()
      throw error instanceof PromptReelError ? error : new Away(`The connection broke: ${error}`)
    } finally {
      silence.end()
    }
  }

  /**
   * Follow a job to its end; go on with the next event when a stream breaks.
   * @param {Job} job
   * @param {Options} options
   * @returns {Promise<Job>}
   */
  async #ended(job, { signal, onProgress, onPreview }) {
    let lastId = ''
    let pause = 100
    let told = ''
    const tell = () => {
      const text = JSON.stringify(job)
      if (text !== told) onProgress?.(job)
      told = text
    }
    tell()
    while (!ENDED.includes(job.status)) {
      try {
        for await (const event of this.events(job.id, { lastId, signal })) {
          ;[lastId, pause] = [event.id || lastId, 100]
          if (event.name === 'preview') {
            onPreview?.(event.data)
          } else {
            job = after(job, event)
            tell()
          }
        }
      } catch (error) {
        if (!(error instanceof Away) && !isBusy(error)) throw error
        const asked = error instanceof PromptReelError ? error.retryAfter * 1000 : 0
        pause = Math.max(Math.min(pause * 2, LONGEST_PAUSE), asked)
      }
      if (ENDED.includes(job.status)) break
      await sleep(pause, signal)
      job = await this.job(job.id, signal)
      tell()
    }
    return job
  }

  /** @param {string} id */
  async #giveUp(id) {
    try {
      await this.#once('POST', `/api/jobs/${encodeURIComponent(id)}/cancel`, { keepalive: true })
    } catch {
      // it could not be told; the job ends by itself
    }
  }

  /**
   * Send, again if need be, and return the answer's JSON.
   * @param {string} method
   * @param {string} path
   * @param {RequestInit} init
   * @returns {Promise<any>}
   */
  async #json(method, path, init) {
    const end = Date.now() + this.#patience
    for (let pause = 250; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      try {
        return await (await this.#once(method, path, init)).json()
      } catch (error) {
        init.signal?.throwIfAborted()
        const refused = error instanceof PromptReelError
        if (refused) pause = Math.max(pause, error.retryAfter * 1000)
        if ((refused && !isBusy(error)) || Date.now() + pause > end) {
          throw refused ? error : new Away(`PromptReel can't be reached: ${error}`)
        }
      }
      await sleep(pause, init.signal ?? undefined)
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {RequestInit} init
   */
  async #once(method, path, init) {
    const headers = new Headers(init.headers)
    if (this.#key) headers.set('Authorization', `Bearer ${this.#key}`)
    const response = await this.#fetch(this.#url + path, { ...init, method, headers })
    if (response.ok) return response
    /** @type {Partial<Failure>} */
    const body = await response.json().catch(() => ({}))
    const asked = Number(response.headers.get('Retry-After') ?? 0)
    throw new PromptReelError(response.status, body, Number.isFinite(asked) ? asked : 0)
  }
}

/** Ends a request that nothing is heard of for too long, or that the caller wants no more. */
class Silence {
  #controller = new AbortController()
  #signal
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer
  #abort = () => this.#controller.abort()

  /** @param {AbortSignal} [signal] */
  constructor(signal) {
    this.#signal = signal
    signal?.addEventListener('abort', this.#abort, { once: true })
    if (signal?.aborted) this.#abort()
    this.heard()
  }

  get signal() {
    return this.#controller.signal
  }

  heard() {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#abort, SILENCE)
  }

  end() {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#abort()
  }
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @param {Silence} silence
 * @returns {AsyncGenerator<Event>}
 */
async function* readEvents(body, silence) {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    silence.heard()
    const blocks = (text + decoder.decode(value, { stream: true })).split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = readBlock(block)
      if (event) yield event
    }
  }
}

/**
 * @param {string} block
 * @returns {Event | null}
 */
function readBlock(block) {
  /** @type {Record<string, string>} */
  const fields = {}
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart()
  }
  const { event: name, id = '', data } = fields
  return data === undefined ? null : /** @type {Event} */ ({ name, id, data: JSON.parse(data) })
}

/**
 * @param {Job} job
 * @param {Exclude<Event, { name: 'preview' }>} event
 * @returns {Job}
 */
function after(job, event) {
  return event.name === 'progress' ? { ...job, progress: event.data } : event.data
}

/** @param {unknown} error */
function isBusy(error) {
  return error instanceof PromptReelError && BUSY.includes(error.status)
}

/** A new key. `crypto.randomUUID` is there on secure pages only, and no crypto in Node 18. */
function newKey() {
  const bytes = globalThis.crypto?.getRandomValues(new Uint8Array(16))
  if (bytes) return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, milliseconds)
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
  })
}
