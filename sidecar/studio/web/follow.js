/** A job's life: by its events, or by asking now and then where those don't come through. */

import { ApiError, call, json } from './api.js'
import { events } from './events.js'

const SILENCE = 40_000 // a comment comes each 15 s
const PATIENCE = 3 // streams in a row that tell nothing, before asking takes over
const ASK = 1500
const LONGEST = 10_000

/** Whether nothing more happens to a job. */
export const isOver = (job) => ['succeeded', 'failed', 'canceled'].includes(job.status)

/**
 * Follow a job to its end. `told` has job(job), progress(progress), preview(preview) and
 * lost(isLost). Raises ApiError where the service says no.
 */
export async function follow(id, told, signal) {
  let last = ''
  let failures = 0
  while (!signal.aborted) {
    try {
      const before = last
      last = await stream(id, last, told, signal, (mark) => { last = mark })
      if (last === '') return
      failures = last === before ? failures + 1 : 0
    } catch (error) {
      if (signal.aborted) return
      if (isFinal(error)) throw error
      failures += 1
    }
    told.lost(failures > 1)
    if (failures >= PATIENCE) return ask(id, told, signal)
    await pause(Math.min(250 * 2 ** failures, LONGEST), signal)
  }
}

/** Read one stream; return "" once the job is over, else the mark to go on after. */
async function stream(id, last, told, signal, mark) {
  const headers = { Accept: 'text/event-stream', ...(last ? { 'Last-Event-ID': last } : {}) }
  const response = await call(`api/jobs/${id}/events`, { headers, signal })
  if (response.status === 204) {
    told.job(await json(`api/jobs/${id}`, { signal }))
    return ''
  }
  told.lost(false)
  for await (const event of events(response, SILENCE)) {
    last = event.id || last
    mark(last)
    const data = JSON.parse(event.data)
    if (event.event === 'progress') told.progress(data)
    if (event.event === 'preview') told.preview(data)
    if (event.event === 'status' || event.event === 'result') told.job(data)
    if (event.event === 'result') return ''
  }
  return last || '0.0'
}

/** Ask how the job is until it is over. */
async function ask(id, told, signal) {
  let wait = ASK
  while (!signal.aborted) {
    try {
      const job = await json(`api/jobs/${id}`, { signal })
      told.lost(false)
      told.progress(job.progress)
      told.job(job)
      if (isOver(job)) return
      wait = ASK
    } catch (error) {
      if (signal.aborted) return
      if (isFinal(error)) throw error
      told.lost(true)
      wait = Math.min(wait * 2, LONGEST)
    }
    await pause(wait, signal)
  }
}

const isFinal = (error) => error instanceof ApiError && [401, 403, 404].includes(error.status)

const pause = (milliseconds, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, milliseconds)
  signal.addEventListener('abort', () => { clearTimeout(timer); resolve() }, { once: true })
})
