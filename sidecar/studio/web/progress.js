/** What a job's progress says, in the page's language. */

import { t } from './language.js'

/** Return what is being done: messages of the built-in engine translated, others as they are. */
export function message({ message: said, step, steps }) {
  if (/^Frame \d+ of \d+$/.test(said)) return t('frameOf', { n: step, all: steps })
  return steps ? `${said} · ${t('stepOf', { n: step, all: steps })}` : said
}

/** Return how long it may still take; blank while nobody can tell. */
export function left(began, value) {
  const passed = (Date.now() - began) / 1000
  if (!began || value < 0.05 || passed < 2 || value >= 1) return ''
  const seconds = Math.ceil((passed / value) * (1 - value))
  if (seconds > 90) return t('leftMinutes', { n: Math.round(seconds / 60) })
  return t('left', { n: Math.max(seconds, 1) })
}
