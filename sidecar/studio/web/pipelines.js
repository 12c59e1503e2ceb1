/** Which pipelines there are, which can run, what the others lack, and which is chosen. */

import { json } from './api.js'
import { byId, el } from './dom.js'
import { onLanguage, pipelineText, t } from './language.js'

const changed = []
let rows = []
let demo = false
let chosen = ''

/** The chosen pipeline; undefined before they are known. */
export const pipeline = () => rows.find((row) => row.name === chosen)

/** What a pipeline is called for people. */
export const title = (name) => named(rows.find((row) => row.name === name) ?? { name, title: name })

/** Call `heard` when another one is chosen, or the list is new. */
export const onPipeline = (heard) => changed.push(heard)

/** Listen to the language. */
export const begin = () => onLanguage(show)

/** Read the list. Raises ApiError. */
export async function load(isDemo) {
  demo = isDemo
  rows = (await json('api/pipelines')).pipelines
  rows.sort((a, b) => runs(b) - runs(a) || b.default - a.default)
  choose(chosen)
}

/** Choose by name; one that can't run gives way to the recommended one. */
export function choose(name) {
  const fit = rows.filter(runs)
  const best = fit.find((row) => row.name === name) ?? fit.find((row) => row.default) ?? fit[0]
  chosen = (best ?? { name }).name
  show()
  changed.forEach((heard) => heard())
}

function runs(row) {
  if (demo) return row.default || row.name === 'camera-motion'
  return !lacks(row) && (row.servers === undefined || row.servers.length > 0)
}

const lacks = ({ missing }) => Boolean(
  missing && (missing.nodes.length || missing.models.length || missing.comfyui),
)

function show() {
  byId('pipeline-name').textContent = chosen ? title(chosen) : '…'
  const focused = document.activeElement?.name === 'pipeline'
  byId('pipelines').replaceChildren(...rows.map(card))
  if (focused) byId('pipelines').querySelector(':checked')?.focus()
}

function card(row) {
  const able = runs(row)
  const id = `pipeline-${row.name}`
  const radio = el('input', {
    type: 'radio', name: 'pipeline', value: row.name, id, checked: row.name === chosen,
    disabled: !able, onchange: () => choose(row.name), 'aria-describedby': `${id}-more`,
  })
  const more = el('div', { id: `${id}-more`, class: 'about' },
    about(row),
    row.vram ? el('p', {}, t('memory'), ' ', el('span', { lang: 'en' }, row.vram)) : null,
    able ? null : el('p', { class: 'lack' }, why(row)))
  const label = el('label', { htmlFor: id }, named(row),
    row.default ? el('span', { class: 'tag' }, t('isDefault')) : null)
  return el('div', { class: able ? 'choice' : 'choice unable' },
    radio, el('div', {}, label, more, able ? null : missing(row)))
}

const named = ({ name, title: own }) => pipelineText(name)[0] ?? own
const about = ({ name, description }) => {
  const ours = pipelineText(name)[1]
  return el('p', ours ? {} : { lang: 'en' }, ours ?? description)
}

function why(row) {
  if (demo || !row.missing) return t('needsComfy')
  const { nodes, models, comfyui } = row.missing
  const what = [
    nodes.length ? t('missingNodes', { n: nodes.length }) : '',
    models.length ? t('missingModels', { n: models.length }) : '',
  ].filter(Boolean).join(t('missingAnd'))
  return [what && t('missing', { what }), comfyui].filter(Boolean).join(' ')
}

function missing(row) {
  if (demo || !lacks(row)) return null
  const { nodes, models } = row.missing
  return el('details', { class: 'missing' }, el('summary', {}, t('missingWhat')),
    ...(nodes.length ? [el('p', {}, t('missingNodesHow')), list(nodes.map((name) => [name]))] : []),
    ...(models.length ? [
      el('p', {}, t('missingModelsHow')),
      el('code', {}, `promptreel models pull ${row.name}`),
      list(models.map(model)),
    ] : []))
}

const list = (items) => el('ul', {}, ...items.map((parts) => el('li', {}, ...parts)))

function model({ name, folder, source }) {
  const page = /^https?:\/\//.test(source)
    ? el('a', { href: source, target: '_blank', rel: 'noreferrer noopener' }, t('missingSource'))
    : ''
  return [el('b', {}, name), ` ${t('missingFolder', { folder })} `, page]
}
