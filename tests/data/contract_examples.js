// The two examples of the API contract, word for word, in the functions they need around them.

async function uploadExample(file) {
  const formData = new FormData()
  formData.append('image', file) // где file - объект File из input[type="file"]

  const response = await fetch('/api/upload', {
    method: 'POST',
    body: formData,
  })

  const { imageUrl } = await response.json()
  return imageUrl
}

async function generateExample(imageUrl) {
  const formData = new FormData()
  formData.append('imageUrl', imageUrl) // URL изображения из предыдущего шага
  formData.append('text', 'Описание сцены...')
  // Опционально:
  // formData.append('serverUrl', 'http://your-comfyui-server.com')
  // formData.append('comfyPipeline', 'your-pipeline-name')

  const response = await fetch('/api/generate', {
    method: 'POST',
    body: formData,
  })

  const { image, video } = await response.json()
  return { image, video }
}
