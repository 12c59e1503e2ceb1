// Shows the API's own description; nothing is asked of another host.

// Fields of a form begin blank, or with their example: the made-up values that they would begin
// with otherwise are sent too, and optional ones are mostly wrong together.
const BlankForms = () => ({
  wrapComponents: { ParameterIncludeEmpty: () => () => null },
  afterLoad() {
    const sample = this.fn.getSampleSchema
    this.fn.getSampleSchema = (schema, type, ...rest) =>
      type === false && !schema.has('examples') ? '' : sample(schema, type, ...rest)
  },
})

SwaggerUIBundle({
  url: 'api/openapi.json',
  dom_id: '#api',
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [BlankForms],
  layout: 'BaseLayout',
  validatorUrl: null,
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
})
