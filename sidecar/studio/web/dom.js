/** Small helpers for elements. Knows the document; must not know what is shown in it. */

const SVG = 'http://www.w3.org/2000/svg'

/** @param {string} id */
export const byId = (id) => /** @type {any} */ (document.getElementById(id))

/**
 * Make an element: `on…` of `props` are listeners, `class` and `data-…`, `aria-…` attributes, others
 * properties; what is null or undefined is left out.
 */
export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined) continue
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value)
    else if (name in made && name !== 'list') made[name] = value
    else made.setAttribute(name, value)
  }
  if (props.class) made.className = props.class
  made.append(...children.filter((child) => child !== null && child !== undefined))
  return made
}

/** A picture of the page's own set, hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg')
  const use = document.createElementNS(SVG, 'use')
  svg.setAttribute('aria-hidden', 'true')
  use.setAttribute('href', `#i-${name}`)
  svg.append(use)
  return svg
}

/** Show or hide. */
export function toggle(element, shown) {
  element.hidden = !shown
}

let saying = 0

/** Say something to screen readers, at once and once. */
export function say(text) {
  const place = byId('said')
  place.textContent = ''
  clearTimeout(saying)
  saying = setTimeout(() => { place.textContent = text }, 60)
}

let toasting = 0

/** Say something to everybody, for a moment. */
export function toast(text) {
  say(text)
  const place = byId('toast')
  place.textContent = text
  place.classList.add('shown')
  clearTimeout(toasting)
  toasting = setTimeout(() => place.classList.remove('shown'), 3500)
}
