/** The fields of a pipeline's own parameters, made of what the service tells of them. */

import { byId, el, icon, toggle } from './dom.js'
import { onLanguage, t } from './language.js'

const MAIN = ['seconds', 'seed', 'aspect', 'resolution'] // two beside each other, then one a row
const KNOWN = [...MAIN, 'fps', 'negative', 'steps', 'cfg', 'strength', 'width', 'height', 'frames']
const WORDS = ['source', 'true', 'false'] // choices that are no names
const FEW = 6 // choices that are shown side by side
const values = new Map()
let rows = []

/** Show the fields of a pipeline; what was given before stays where it is still asked for. */
export function use(pipeline) {
  rows = pipeline?.parameters ?? []
  show()
}

/** Show them anew in another language. */
export const begin = () => onLanguage(show)

/** Put values in; others become blank. */
export function fill(given) {
  values.clear()
  for (const [name, value] of Object.entries(given)) values.set(name, String(value))
  show()
}

/** Return all that is given, as texts by name. */
export const given = () => Object.fromEntries(
  rows.map((row) => [row.name, (values.get(row.name) ?? '').trim()]).filter(([, text]) => text),
)

/** Return the first field that holds no right value, and what it must be; null if all are right. */
export function wrong() {
  for (const row of rows) {
    const text = (values.get(row.name) ?? '').trim().replace(',', '.')
    if (!text || !['number', 'integer'].includes(row.type)) continue
    const right = (row.type === 'integer' ? /^[+-]?\d+$/ : /^[+-]?\d*\.?\d+$/).test(text)
    const low = row.minimum ?? -Infinity
    const high = row.maximum ?? Infinity
    if (!right || Number(text) < low || Number(text) > high) {
      return { field: byId(`p-${row.name}`), said: t('needNumber', { name: title(row), limits: limits(row) }) }
    }
    values.set(row.name, text)
  }
  return null
}

function show() {
  const order = (row) => (MAIN.indexOf(row.name) + MAIN.length + 1) % (MAIN.length + 1)
  const main = rows.filter((row) => MAIN.includes(row.name)).sort((a, b) => order(a) - order(b))
  const more = rows.filter((row) => !MAIN.includes(row.name) && row.name !== 'text')
  byId('main-parameters').replaceChildren(...main.map(field))
  byId('more-parameters').replaceChildren(...more.map(field))
  toggle(byId('more'), more.length > 0)
}

const title = ({ name }) => (KNOWN.includes(name) ? t(name) : name.replaceAll('_', ' '))
const named = (choice) => (WORDS.includes(choice) ? t(choice) : choice)
const set = (row) => (event) => values.set(row.name, event.target.value)

function field(row) {
  if (row.type === 'enum') return row.choices.length <= FEW ? segments(row) : select(row)
  if (row.type === 'boolean') return select({ ...row, choices: ['true', 'false'] })
  return row.type === 'string' ? written(row) : number(row)
}

function framed(row, control, ...more) {
  const id = `p-${row.name}`
  return el('div', { class: `field field-${row.name}` }, el('label', { htmlFor: id }, title(row)),
    el('div', { class: 'control' }, control, ...more))
}

function number(row) {
  const whole = row.type === 'integer'
  const empty = row.default ?? (row.name === 'seconds' ? t('byText') : t('auto'))
  const input = el('input', {
    id: `p-${row.name}`, type: 'text', inputMode: whole ? 'numeric' : 'decimal', autocomplete: 'off',
    value: values.get(row.name) ?? '', placeholder: String(empty), title: limits(row), oninput: set(row),
  })
  const unit = row.name === 'seconds' ? el('span', { class: 'unit', 'aria-hidden': 'true' }, t('secondsUnit')) : null
  return framed(row, input, unit, row.name === 'seed' ? dice(row, input) : null)
}

function dice(row, input) {
  const roll = () => {
    input.value = String(crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000)
    values.set(row.name, input.value)
  }
  return el('button', { type: 'button', class: 'quiet icon', onclick: roll, 'aria-label': t('random'), title: t('random') }, icon('dice'))
}

function written(row) {
  return framed(row, el('textarea', {
    id: `p-${row.name}`, rows: 2, value: values.get(row.name) ?? '', placeholder: row.default ?? '',
    oninput: set(row),
  }))
}

function select(row) {
  const option = (value, text) => el('option', { value, selected: (values.get(row.name) ?? '') === value }, text)
  const blank = row.default === null ? t('automatic') : `${t('automatic')} (${named(String(row.default))})`
  return framed(row, el('select', { id: `p-${row.name}`, onchange: set(row) },
    option('', blank), ...row.choices.map((choice) => option(choice, named(choice)))))
}

function segments(row) {
  const held = values.get(row.name) ?? ''
  const now = held === row.default ? '' : held
  const segment = (value, text) => {
    const id = `p-${row.name}-${value.replace(/\W/g, '-') || 'auto'}`
    const input = el('input', {
      type: 'radio', class: 'unseen', name: `p-${row.name}`, id, value, checked: now === value, onchange: set(row),
    })
    return el('span', { class: 'segment' }, input, el('label', { htmlFor: id }, shape(row, value), text))
  }
  const own = row.default ?? (row.name === 'aspect' ? 'source' : null) // what holds if nothing is sent
  const automatic = row.choices.includes(own) ? [] : [segment('', t('automatic'))]
  return el('fieldset', { class: `field field-${row.name}` }, el('legend', {}, title(row)),
    el('div', { class: 'segments' }, ...automatic,
      ...row.choices.map((choice) => segment(choice === own ? '' : choice, named(choice)))))
}

/** A small frame of that shape. */
function shape(row, value) {
  const [width, height] = /^(\d+):(\d+)$/.exec(value)?.slice(1).map(Number) ?? []
  if (row.name !== 'aspect' || !width) return null
  const frame = el('i', { class: 'shape', 'aria-hidden': 'true' })
  const scale = 14 / Math.max(width, height)
  frame.style.width = `${Math.round(width * scale)}px`
  frame.style.height = `${Math.round(height * scale)}px`
  return frame
}

function limits({ minimum, maximum }) {
  if (minimum === null || maximum === null) return ''
  return t('limits', { low: minimum, high: maximum >= 2 ** 53 ? '2^64' : maximum })
}
