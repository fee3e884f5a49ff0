// JSON bodies as real callers send them: a JSON content type without a body is no body (Fastify 5 answers 400 to it by itself).
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

export const jsonBodies = fp(async (server: FastifyInstance) => {
  // Members named __proto__ or constructor.prototype are refused: nobody has a use for them but an attacker.
  const parse = server.getDefaultJsonParser('error', 'error')

  server.removeAllContentTypeParsers()
  for (const type of ['application/json', /^application\/[\w.+-]+\+json$/]) {
    server.addContentTypeParser<string>(type, { parseAs: 'string' }, (request, body, done) => {
      if (body === '') done(null, undefined)
      else parse(request, body, done)
    })
  }
  // Any other type is fine as long as nothing comes with it.
  server.addContentTypeParser<string>('*', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') done(null, undefined)
    else done(Object.assign(new Error('The body must be application/json.'), { statusCode: 415, code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' }))
  })
}, { name: 'json-bodies' })
