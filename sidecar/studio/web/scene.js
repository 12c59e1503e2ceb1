/** The text of the form, and how it is understood, shown while it is typed. */

import { post } from './api.js'
import { byId, el, icon } from './dom.js'
import { language, onLanguage, t } from './language.js'

const PAUSE = 450 // milliseconds without typing
let timer = 0
let asked = new AbortController()
let last = ''

/** The text. */
export const text = () => byId('text').value

/** Put a text in. */
export function write(value) {
  byId('text').value = value
  byId('text').dispatchEvent(new Event('input', { bubbles: true }))
}

/** Listen to typing. */
export function begin() {
  byId('text').addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(look, PAUSE)
  })
  onLanguage(() => { ideas(); look() })
}

function ideas() {
  byId('ideas').replaceChildren(...t('ideaList').map((idea) => el('button', {
    type: 'button', class: 'chip', onclick: () => { write(idea); byId('text').focus() },
  }, idea)))
}

/** Ask how the text is understood. */
async function look() {
  const written = text().trim()
  const asking = `${language()} ${written}`
  if (asking === last) return // a key may have few requests a minute
  last = asking
  asked.abort()
  asked = new AbortController()
  byId('ideas').hidden = Boolean(written)
  if (!written) return show(null)
  try {
    const body = { text: written, language: language() }
    show(await post('api/scene', body, { signal: asked.signal }))
  } catch (error) {
    if (error.name === 'AbortError') return
    last = ''
    byId('understood').replaceChildren()
  }
}

function show(scene) {
  const said = scene
    ? [el('b', {}, t('understoodAs')), ' ', scene.understood]
    : [t('understoodNothing')]
  const shown = el('p', { class: scene ? '' : 'muted' }, ...said)
  byId('understood').replaceChildren(...(scene ? [icon('spark')] : []), shown)
}
