/** The page: joins its parts. A job that is shown is in the address, so a refresh goes on with it. */

import { ApiError, json, post, unique } from './api.js'
import { byId, say } from './dom.js'
import { fault } from './faults.js'
import { follow, isOver } from './follow.js'
import * as key from './key.js'
import * as words from './language.js'
import * as library from './library.js'
import { forget, recall, remember } from './memory.js'
import * as notice from './notice.js'
import * as parameters from './parameters.js'
import * as pictures from './picture.js'
import * as pipelines from './pipelines.js'
import * as scene from './scene.js'
import * as stage from './stage.js'

const { t } = words
const DRAFT = 'draft'
let following = new AbortController()
let attempt = { asked: '', key: '' }

// what the page shows of one job

async function open(id, { push = true, known = null } = {}) {
  following.abort()
  following = new AbortController()
  const { signal } = following
  if (push) history.pushState(null, '', id ? `?job=${id}` : location.pathname)
  library.mark(id)
  if (!id) return stage.show(null)
  try {
    const job = known ?? await json(`api/jobs/${id}`, { signal })
    if (signal.aborted) return
    took(job)
    if (!isOver(job)) await follow(id, { ...stage, job: took }, signal)
  } catch (error) {
    if (!signal.aborted) stage.fail(error)
  }
}

function took(job) {
  stage.show(job)
  library.keep(job)
}

async function cancel(job) {
  try {
    took(await post(`api/jobs/${job.id}/cancel`, {}))
  } catch (error) {
    fault(byId('lost'), error)
  }
}

/** Fill the form with what a job was made of. */
async function again(job) {
  try {
    const { request, pipeline } = await json(`api/jobs/${job.id}`)
    fill({ ...request, pipeline })
  } catch (error) {
    return stage.fail(error)
  }
  say(t('refilled'))
  byId('compose').scrollIntoView({ block: 'start' })
  byId('text').focus({ preventScroll: true })
}

async function retry(job) {
  await again(job)
  await generate()
}

function fill({ imageUrl = '', text = '', pipeline = '', parameters: given = {} }) {
  pictures.take(imageUrl)
  scene.write(text)
  pipelines.choose(pipeline)
  parameters.fill(given)
  keepDraft()
}

// the form

const form = () => ({
  imageUrl: pictures.picture(),
  text: scene.text(),
  pipeline: pipelines.pipeline()?.name ?? '',
  parameters: parameters.given(),
})

function keepDraft() {
  remember(DRAFT, JSON.stringify(form()), { tab: true })
}

function recallDraft() {
  try {
    fill(JSON.parse(recall(DRAFT) ?? '{}'))
  } catch {
    forget(DRAFT)
  }
}

/** Say what is not right yet, where it is; tell whether all is. */
function isRight() {
  const number = parameters.wrong()
  const picture = pictures.picture() ? null : t('needPicture')
  const text = scene.text().trim() ? null : t('needText')
  if (picture) fault(byId('picture-fault'), picture)
  fault(byId('text-fault'), text)
  fault(byId('form-fault'), picture || text ? null : number?.said)
  if (picture) byId('file').focus()
  else if (text) byId('text').focus()
  else if (number) { byId('more').open = true; number.field?.focus() }
  return !picture && !text && !number
}

async function generate() {
  const button = byId('generate')
  if (button.getAttribute('aria-busy') === 'true') return
  busy(true)
  try {
    await pictures.sent()
    if (isRight()) await submit()
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    fault(byId('form-fault'), error)
  } finally {
    busy(false)
  }
}

async function submit() {
  const { imageUrl, text, pipeline, parameters: given } = form()
  const fields = { ...given, imageUrl, text, ...(pipeline ? { comfyPipeline: pipeline } : {}) }
  const asked = JSON.stringify(fields)
  if (attempt.asked !== asked) attempt = { asked, key: unique() }
  const headers = { Prefer: 'respond-async', 'Idempotency-Key': attempt.key }
  const job = await post('api/generate', fields, { headers })
  attempt = { asked: '', key: '' } // it is taken: the same once more is another video
  keepDraft()
  const known = { ...job, request: { imageUrl, text, parameters: given } }
  open(job.id, { known })
  byId('stage').focus({ preventScroll: true })
  byId('stage').scrollIntoView({ block: 'nearest' })
}

function busy(on) {
  const button = byId('generate')
  button.setAttribute('aria-busy', String(on))
  button.lastElementChild.textContent = t(on ? 'generating' : 'generate')
}

// the beginning

async function look() {
  const demo = await notice.look()
  try {
    await pipelines.load(demo)
    await library.load()
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    fault(byId('form-fault'), error)
  }
}

function listen() {
  byId('compose').addEventListener('submit', (event) => { event.preventDefault(); generate() })
  byId('compose').addEventListener('input', keepDraft)
  byId('compose').addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) generate()
  })
  byId('text').addEventListener('input', () => fault(byId('text-fault'), null))
  window.addEventListener('popstate', () => open(shownJob(), { push: false }))
  pictures.onPicture(keepDraft)
  pipelines.onPipeline(() => parameters.use(pipelines.pipeline()))
}

const shownJob = () => new URLSearchParams(location.search).get('job') ?? ''

async function begin() {
  key.begin()
  pictures.begin()
  scene.begin()
  pipelines.begin()
  parameters.begin()
  stage.begin({ cancel, again, retry, fresh: () => open(''), title: pipelines.title })
  library.begin({
    open: (job) => { open(job.id); byId('stage').scrollIntoView({ block: 'nearest' }) },
    take: (url) => { pictures.take(url); byId('text').focus() },
  })
  notice.begin(look)
  words.begin()
  listen()
  await look()
  recallDraft()
  document.body.dataset.ready = 'yes'
  await open(shownJob(), { push: false })
}

begin()
