/** One's videos, the newest first; the pictures of them and of what they were made from. */

import { fileAt, json } from './api.js'
import { byId, el, icon, toggle } from './dom.js'
import { isOver } from './follow.js'
import { onLanguage, t } from './language.js'

const SHELF = 5
const OFTEN = 5000 // milliseconds between looks at videos that are made while another one is shown
const STATES = {
  queued: 'stateQueued', running: 'stateRunning', succeeded: 'stateSucceeded', failed: 'stateFailed', canceled: 'stateCanceled',
}
let jobs = []
let cursor = null
let acts = {}
let now = ''

/** `actions`: open(job), take(imageUrl). */
export function begin(actions) {
  acts = actions
  onLanguage(show)
  byId('older').addEventListener('click', async () => {
    const page = await json(`api/jobs?limit=24&cursor=${encodeURIComponent(cursor)}`)
    jobs.push(...page.jobs)
    cursor = page.nextCursor
    show()
  })
  byId('gallery-open').addEventListener('click', () => byId('gallery').showModal())
  setInterval(watch, OFTEN)
  byId('gallery-close').addEventListener('click', () => byId('gallery').close())
}

/** Look now and then at what is being made and not shown. */
async function watch() {
  if (document.hidden || !jobs.some((job) => !isOver(job) && job.id !== now)) return
  try {
    const page = await json('api/jobs?limit=24')
    page.jobs.reverse().forEach(keep)
  } catch {
    // the next look may succeed
  }
}

/** Read the newest. Raises ApiError. */
export async function load() {
  const page = await json('api/jobs?limit=24')
  jobs = page.jobs
  cursor = page.nextCursor
  show()
}

/** Put a job in, or its newer state. */
export function keep(job) {
  const at = jobs.findIndex((one) => one.id === job.id)
  const same = at >= 0 && jobs[at].status === job.status
  if (at < 0) jobs.unshift(job)
  else jobs[at] = { ...job, request: job.request ?? jobs[at].request }
  if (!same) show()
}

/** Mark the job that is shown. */
export function mark(id) {
  now = id
  for (const card of byId('cards').querySelectorAll('button')) {
    card.toggleAttribute('aria-current', card.dataset.job === id)
  }
}

function show() {
  toggle(byId('library'), jobs.length > 0)
  toggle(byId('older'), Boolean(cursor))
  const focused = document.activeElement?.dataset.job
  byId('cards').replaceChildren(...jobs.map(card))
  if (focused) byId('cards').querySelector(`[data-job="${focused}"]`)?.focus()
  mark(now)
  const pictures = allPictures()
  toggle(byId('shelf'), pictures.length > 0)
  toggle(byId('gallery-open'), pictures.length > SHELF)
  byId('recent').replaceChildren(...pictures.slice(0, SHELF).map(pick))
  byId('gallery-pictures').replaceChildren(...pictures.map(pick))
}

function card(job) {
  const text = job.request?.text || t('untitled')
  const state = t(STATES[job.status])
  const source = job.result?.image ?? job.request?.imageUrl
  return el('li', {}, el('button', {
    type: 'button', class: `card-open ${job.status}`, 'data-job': job.id, onclick: () => acts.open(job),
    'aria-label': t('openVideo', { text, state }),
  }, picture(source), el('span', { class: 'state' }, state), el('span', { class: 'words' }, text)))
}

function picture(source) {
  const frame = el('span', { class: 'thumb' }, icon('reel'))
  if (source) {
    const image = el('img', { src: fileAt(source), alt: '', loading: 'lazy', onerror: () => image.remove() })
    frame.append(image)
  }
  return frame
}

function allPictures() {
  const all = jobs.map((job) => job.request?.imageUrl).concat(jobs.map((job) => job.result?.image))
  return [...new Set(all.filter(Boolean))]
}

function pick(source, index) {
  const taken = () => {
    byId('gallery').close()
    acts.take(source)
  }
  const image = el('img', { src: fileAt(source), alt: '', loading: 'lazy', onerror: () => button.remove() })
  const button = el('button', {
    type: 'button', class: 'pick', onclick: taken, 'aria-label': t('galleryPick', { n: index + 1 }),
  }, image)
  return button
}
