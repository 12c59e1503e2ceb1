/** Failures, in the words of the service, and what to do about them. */

import { el, icon } from './dom.js'
import { whatToDo } from './language.js'

/** Show a failure in a place, or clear it with null. A text is one of the page's own. */
export function fault(place, error) {
  if (!error) return place.replaceChildren()
  if (typeof error === 'string') return place.replaceChildren(error)
  place.replaceChildren(...said(error))
}

/** Return what is said of a failure: the sentence, more about it, what to do. */
export function said(error) {
  return [
    el('strong', { lang: 'en' }, error.message ?? error.error),
    error.details ? el('span', { class: 'details', lang: 'en' }, error.details) : null,
    el('span', { class: 'todo' }, whatToDo(error.code)),
  ].filter(Boolean)
}

/** Return a large panel for it. */
export function panel(title, error, ...actions) {
  return el('div', { class: 'panel', role: 'alert' },
    icon('warn'), el('h3', {}, title), ...said(error), el('div', { class: 'actions' }, ...actions))
}
