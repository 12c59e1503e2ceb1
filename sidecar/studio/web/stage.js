/** What is seen of one job: its picture and progress, its video, or why there is none. */

import { fileAt } from './api.js'
import { byId, el, icon, say, toast } from './dom.js'
import { panel } from './faults.js'
import { isOver } from './follow.js'
import { onLanguage, t } from './language.js'
import { left, message } from './progress.js'

const TITLE = 'PromptReel'
let acts = {}
let job = null
let extra = { preview: '', began: 0, lost: false, stopping: false, shown: '' }

/** Begin empty. `actions`: cancel(job), again(job), retry(job), fresh(), title(name). */
export function begin(actions) {
  acts = actions
  onLanguage(() => { extra.shown = ''; render() })
}

/** Show a job as it is now; null: none. `request` of an earlier state is kept. */
export function show(next) {
  const before = job?.id === next?.id ? job : null
  if (!before) extra = { preview: '', began: 0, lost: false, stopping: false, shown: '' }
  job = next && { ...next, request: next.request ?? before?.request }
  if (job?.status === 'running' && !extra.began) extra.began = Date.now()
  if (before && before.status !== job.status) say(spoken())
  render()
}

/** Show how far the job is. */
export function progress(value) {
  if (!job || isOver(job)) return
  const quarters = (x) => Math.floor((x?.value ?? 0) * 4)
  const passed = quarters(value) > quarters(job.progress)
  job = { ...job, progress: value }
  if (passed && value.value < 1) say(`${Math.round(value.value * 100)} %`)
  render()
}

/** Show a picture of what is being made. */
export function preview({ mime, data }) {
  if (!/^image\/(jpeg|png|webp|gif)$/.test(mime)) return
  extra.preview = `data:${mime};base64,${data}`
  render()
}

/** Say that the connection is lost, or is back. */
export function lost(isLost) {
  if (isLost && !extra.lost) say(t('lost'))
  extra.lost = isLost
  render()
}

/** Show a failure that is no job's. */
export function fail(error) {
  job = null
  document.title = TITLE
  extra.shown = 'fault'
  byId('screen').replaceChildren(panel(t('failed'), error,
    el('button', { type: 'button', class: 'glass', onclick: acts.fresh }, t('newOne'))))
  byId('below').replaceChildren()
}

function render() {
  if (!job && extra.shown === 'fault') return
  const kind = job ? `${job.id} ${job.status}` : 'none'
  const view = VIEWS[job?.status ?? 'none']
  if (kind !== extra.shown) {
    extra.shown = kind
    byId('screen').className = `screen ${job?.status ?? 'none'}`
    view.make()
  }
  view.update?.()
}

const button = (name, picture, act, kind = 'quiet') => el('button', { type: 'button', class: kind, onclick: act },
  icon(picture), el('span', {}, t(name)))

function empty() {
  document.title = TITLE
  byId('screen').replaceChildren(el('div', { class: 'empty' }, icon('reel'),
    el('p', { class: 'large' }, t('emptyTitle')), el('p', {}, t('emptyMore'))))
  byId('below').replaceChildren()
}

function working() {
  const source = job.request?.imageUrl
  byId('screen').replaceChildren(
    el('img', { id: 'preview', alt: t('preview'), ...(source ? { src: fileAt(source) } : {}), class: 'waiting' }),
    el('div', { class: 'shade' },
      el('p', { id: 'doing', class: 'large' }),
      el('div', { class: 'line' }, el('span', { id: 'step' }), el('span', { id: 'left' })),
      el('progress', { id: 'bar', max: 1, 'aria-label': t('running') })))
  const stop = button('stop', 'close', () => {
    extra.stopping = true
    acts.cancel(job)
    updateWorking()
  })
  stop.id = 'stop'
  byId('below').replaceChildren(caption(), el('p', { id: 'lost', class: 'fault' }), el('div', { class: 'actions' }, stop))
  if (!source) byId('preview').hidden = true
}

function updateWorking() {
  const queued = job.status === 'queued'
  const { value } = job.progress
  const percent = Math.round(value * 100)
  const picture = byId('preview')
  if (extra.preview && picture.src !== extra.preview) {
    picture.src = extra.preview
    picture.hidden = false
    picture.classList.remove('waiting')
  }
  byId('doing').textContent = queued ? t('queued') : value > 0 ? `${percent} %` : t('starting')
  byId('step').textContent = queued ? place() : message(job.progress)
  byId('left').textContent = queued ? '' : left(extra.began, value)
  if (queued || value === 0) byId('bar').removeAttribute('value')
  else byId('bar').value = value
  byId('lost').textContent = extra.lost ? t('lost') : ''
  byId('stop').disabled = extra.stopping
  byId('stop').lastChild.textContent = t(extra.stopping ? 'stopping' : 'stop')
  document.title = queued ? `${t('queued')} · ${TITLE}` : `${percent} % · ${TITLE}`
}

const place = () => (job.queuePosition ? t('queuedAfter', { n: job.queuePosition }) : t('queuedNext'))

function done() {
  const { video, image, isDemo } = job.result
  const source = fileAt(video)
  const moving = !/\.(gif|webp)$/.test(source)
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches
  const player = moving
    ? el('video', {
      id: 'video', src: source, poster: fileAt(image), controls: true, loop: true, muted: true,
      playsInline: true, autoplay: !still, 'aria-label': job.request?.text ?? t('stage'),
    })
    : el('img', { id: 'video', src: source, alt: job.request?.text ?? t('stage') })
  byId('screen').replaceChildren(player)
  const name = `promptreel-${job.id.slice(0, 8)}${source.slice(source.lastIndexOf('.'))}`
  byId('below').replaceChildren(caption(isDemo), el('div', { class: 'actions' },
    el('a', { class: 'strong', href: source, download: name }, icon('down'), el('span', {}, t('download'))),
    button('share', 'link', share), button('again', 'again', () => acts.again(job))))
  document.title = `${t('done')} · ${TITLE}`
}

function caption(isDemo = false) {
  const facts = [acts.title(job.pipeline), job.status === 'succeeded' ? duration() : '', isDemo ? t('doneDemo') : ''].filter(Boolean)
  return el('div', { class: 'caption' }, el('p', { class: 'text' }, job.request?.text ?? ''),
    el('p', { class: 'muted' }, facts.join(' · ')))
}

function duration() {
  if (!job.startedAt || !job.finishedAt) return ''
  const seconds = Math.max((Date.parse(job.finishedAt) - Date.parse(job.startedAt)) / 1000, 0.1)
  const minutes = Math.floor(seconds / 60)
  const time = minutes
    ? t('timeMinutes', { m: minutes, n: Math.round(seconds % 60) })
    : t('timeSeconds', { n: Number(seconds.toFixed(1)) })
  return t('doneIn', { time })
}

async function share() {
  const link = new URL(`?job=${job.id}`, location.href).href
  try {
    await navigator.clipboard.writeText(link)
    toast(t('copied'))
  } catch {
    window.prompt(t('copyByHand'), link) // not allowed, or a plain-http page
  }
}

function failed() {
  const asked = job
  byId('screen').replaceChildren(panel(t('failed'), job.error,
    el('button', { type: 'button', class: 'glass', onclick: () => acts.retry(asked) }, t('retry')),
    el('button', { type: 'button', class: 'glass', onclick: () => acts.again(asked) }, t('again'))))
  byId('below').replaceChildren(caption())
  document.title = `${t('failed')} · ${TITLE}`
}

function canceled() {
  const asked = job
  byId('screen').replaceChildren(el('div', { class: 'panel' }, icon('close'), el('h3', {}, t('canceled')),
    el('span', {}, t('canceledMore')),
    el('div', { class: 'actions' }, el('button', { type: 'button', class: 'glass', onclick: () => acts.again(asked) }, t('again')))))
  byId('below').replaceChildren(caption())
  document.title = `${t('canceled')} · ${TITLE}`
}

const SPOKEN = { queued: 'queued', running: 'running', succeeded: 'done', failed: 'failed', canceled: 'canceled' }
const spoken = () => t(SPOKEN[job.status])

const VIEWS = {
  none: { make: empty },
  queued: { make: working, update: updateWorking },
  running: { make: working, update: updateWorking },
  succeeded: { make: done },
  failed: { make: failed },
  canceled: { make: canceled },
}
