/** What is kept in this browser, where it may be: some forbid it. Knows names of its own alone. */

const PREFIX = 'promptreel.'

const quietly = (work) => {
  try {
    return work()
  } catch {
    return null // private windows of some browsers
  }
}

/** Return what was kept, of this tab or of this browser; null if nothing. */
export const recall = (name) => quietly(
  () => sessionStorage.getItem(PREFIX + name) ?? localStorage.getItem(PREFIX + name),
)

/** Keep a text: in this browser, or with `tab` for as long as the tab is open. */
export function remember(name, text, { tab = false } = {}) {
  forget(name)
  quietly(() => (tab ? sessionStorage : localStorage).setItem(PREFIX + name, text))
}

/** Forget it. */
export function forget(name) {
  quietly(() => sessionStorage.removeItem(PREFIX + name))
  quietly(() => localStorage.removeItem(PREFIX + name))
}
