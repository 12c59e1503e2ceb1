/** The picture of the form: dropped, pasted, chosen, or one that the service has already. */

import { call, fileAt } from './api.js'
import { byId, toggle } from './dom.js'
import { fault } from './faults.js'

const changed = []
let sending = 0
let url = ''
let pending = Promise.resolve()

/** Address of the picture, blank without one. */
export const picture = () => url

/** Wait until the picture is where the service has it. */
export const sent = () => pending

/** Call `heard` when there is another picture. */
export const onPicture = (heard) => changed.push(heard)

/** Take a picture that the service has. */
export function take(imageUrl) {
  sending += 1
  url = imageUrl
  show(imageUrl && fileAt(imageUrl))
  toggle(byId('uploading'), false)
  tell()
}

/** Listen to drops, pastes and choices. */
export function begin() {
  const file = byId('file')
  file.addEventListener('change', () => {
    if (file.files.length) send(file.files[0])
    file.value = ''
  })
  byId('unpick').addEventListener('click', () => { take(''); file.focus() })
  byId('picked').addEventListener('error', () => byId('drop').classList.add('unseeable'))
  document.addEventListener('paste', (event) => first(event.clipboardData, event))
  document.addEventListener('dragover', (event) => lit(event, true))
  document.addEventListener('dragleave', (event) => { if (!event.relatedTarget) lit(event, false) })
  document.addEventListener('drop', (event) => {
    lit(event, false)
    first(event.dataTransfer, event)
  })
}

function lit(event, on) {
  if (![...(event.dataTransfer?.types ?? [])].includes('Files')) return
  event.preventDefault()
  byId('drop').classList.toggle('over', on)
}

function first(data, event) {
  const found = [...(data?.files ?? [])]
  if (!found.length) return
  event.preventDefault()
  send(found.find((one) => one.type.startsWith('image/')) ?? found[0])
}

function send(file) {
  const mine = sending += 1
  url = ''
  const local = URL.createObjectURL(file)
  show(local)
  toggle(byId('uploading'), true)
  pending = upload(file).then(
    (imageUrl) => {
      if (mine !== sending) return
      url = imageUrl
    },
    (error) => {
      if (mine !== sending) return
      show('')
      fault(byId('picture-fault'), error)
    },
  ).finally(() => {
    if (mine !== sending) return
    toggle(byId('uploading'), false)
    tell()
  })
}

async function upload(file) {
  const form = new FormData()
  form.append('image', file, file.name || 'picture')
  const answer = await call('api/upload', { method: 'POST', body: form })
  return (await answer.json()).imageUrl
}

function show(source) {
  const image = byId('picked')
  if (image.src.startsWith('blob:') && image.src !== source) URL.revokeObjectURL(image.src)
  fault(byId('picture-fault'), null)
  byId('drop').classList.toggle('full', Boolean(source))
  byId('drop').classList.remove('unseeable')
  toggle(image, Boolean(source))
  toggle(byId('picked-tools'), Boolean(source))
  if (source) image.src = source
  else image.removeAttribute('src')
}

const tell = () => changed.forEach((heard) => heard())
