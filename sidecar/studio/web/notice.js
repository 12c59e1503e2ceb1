/** The strip above: demo mode, or a service that can make nothing just now. */

import { ApiError, json } from './api.js'
import { byId, el, icon, toggle } from './dom.js'
import { said } from './faults.js'
import { onLanguage, t } from './language.js'

let demo = false
let error = null
let again = () => {}

/** `look`: what looks anew. */
export function begin(look) {
  again = look
  onLanguage(show)
  byId('connect-close').addEventListener('click', () => byId('connect').close())
}

/** Ask how the service is; return whether it is in demo mode. */
export async function look() {
  error = null
  try {
    demo = (await json('api/ready')).isDemo
  } catch (failure) {
    if (!(failure instanceof ApiError)) throw failure
    demo = false
    error = failure
  }
  show()
  return demo
}

function show() {
  const notice = byId('notice')
  toggle(notice, demo || Boolean(error))
  notice.classList.toggle('bad', Boolean(error))
  if (error) {
    notice.replaceChildren(icon('warn'), el('p', {}, ...said(error)),
      el('button', { type: 'button', class: 'quiet small', onclick: again }, t('lookAgain')))
  } else if (demo) {
    notice.replaceChildren(icon('spark'), el('p', {}, t('demo')),
      el('button', { type: 'button', class: 'quiet small', onclick: () => byId('connect').showModal() }, t('connect')))
  }
}
