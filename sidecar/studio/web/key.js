/** Asks a person for an API key, once at a time. */

import { askingBy } from './api.js'
import { byId, toggle } from './dom.js'
import { t } from './language.js'
import { recall, remember } from './memory.js'

const NAME = 'key'
let asking = null

/** Make a 401 ask for a key, and the button above too. */
export function begin() {
  askingBy((wrong, used) => {
    toggle(byId('key-open'), true)
    if (used !== recall(NAME)) return Promise.resolve(true) // there is a newer one already
    return ask(wrong)
  })
  toggle(byId('key-open'), Boolean(recall(NAME)))
  byId('key-open').addEventListener('click', async () => {
    if (await ask(false)) location.reload()
  })
  byId('key-cancel').addEventListener('click', () => byId('key-dialog').close())
}

/** Show the dialog; tell whether a key was given. Who asks meanwhile gets the same answer. */
function ask(wrong) {
  asking ??= shown(wrong).finally(() => { asking = null })
  return asking
}

function shown(wrong) {
  const dialog = byId('key-dialog')
  const field = byId('key-field')
  const fault = byId('key-fault')
  field.value = ''
  fault.textContent = wrong ? t('keyWrong') : ''
  dialog.returnValue = ''
  dialog.showModal()
  field.focus()
  return new Promise((resolve) => {
    const submitted = (event) => {
      event.preventDefault()
      const key = field.value.trim()
      if (!key) {
        fault.textContent = t('keyBlank')
        field.focus()
        return
      }
      remember(NAME, key, { tab: !byId('key-remember').checked })
      dialog.close('given')
    }
    byId('key-form').addEventListener('submit', submitted)
    dialog.addEventListener('close', () => {
      byId('key-form').removeEventListener('submit', submitted)
      resolve(dialog.returnValue === 'given')
    }, { once: true })
  })
}
