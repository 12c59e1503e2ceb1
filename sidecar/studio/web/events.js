/** Server-sent events read from a fetch, so that a key can go with it. Knows the format alone. */

/**
 * Yield {id, event, data} of a stream. Ends where it ends; raises what the connection raises, and an
 * Error after `silence` milliseconds in which nothing came, not even a comment.
 */
export async function* events(response, silence) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), silence)
      if (done) return
      text += value.replaceAll('\r', '')
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const event = read(block)
        if (event.data) yield event
      }
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

function read(block) {
  const event = { id: '', event: 'message', data: '' }
  for (const line of block.split('\n')) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? []
    if (name in event) event[name] = value
  }
  return event
}

function within(promise, milliseconds) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('silence')), milliseconds)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
