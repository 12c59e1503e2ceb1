/** The language of the page, and its texts. Knows the static texts of the page by their keys. */

import en from './texts-en.js'
import ru from './texts-ru.js'
import { recall, remember } from './memory.js'

const TEXTS = { en, ru }
const listeners = []
let code = 'en'

/** The language's code: en or ru. */
export const language = () => code

/** Return a text; `values` go where their names stand in braces, `n` also chooses the plural. */
export function t(key, values = {}) {
  const found = TEXTS[code][key]
  const text = typeof found === 'object' && !Array.isArray(found) ? plural(found, values.n) : found
  if (typeof text !== 'string') return text
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? shown(values[name]) : whole))
}

/** Return what to do about an error, by its code. */
export function whatToDo(errorCode) {
  const rows = TEXTS[code].whatToDo
  return rows[errorCode] ?? rows.other
}

/** Return our own title and description of a pipeline, where there are some. */
export const pipelineText = (name) => TEXTS[code].pipelines[name] ?? []

/** Call `heard` when the language changes. */
export const onLanguage = (heard) => listeners.push(heard)

/** Take the reader's language: the one chosen before, else the browser's. */
export function begin() {
  const known = recall('language') ?? navigator.languages.map((name) => name.slice(0, 2).toLowerCase())
    .find((name) => name in TEXTS)
  for (const button of document.querySelectorAll('[data-language]')) {
    button.addEventListener('click', () => {
      remember('language', button.dataset.language)
      use(button.dataset.language)
    })
  }
  use(known in TEXTS ? known : 'en')
}

function use(chosen) {
  code = chosen
  document.documentElement.lang = code
  fill('t', (element, text) => { element.textContent = text })
  fill('tLabel', (element, text) => element.setAttribute('aria-label', text))
  fill('tPlaceholder', (element, text) => { element.placeholder = text })
  for (const button of document.querySelectorAll('[data-language]')) {
    button.setAttribute('aria-pressed', String(button.dataset.language === code))
  }
  listeners.forEach((heard) => heard())
}

function fill(name, write) {
  const attribute = `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  for (const element of document.querySelectorAll(`[${attribute}]`)) {
    write(element, t(element.dataset[name]))
  }
}

const plural = (forms, n) => forms[new Intl.PluralRules(code).select(n)] ?? forms.other
const shown = (value) => (typeof value === 'number' ? new Intl.NumberFormat(code).format(value) : value)
