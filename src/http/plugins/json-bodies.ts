// JSON bodies as real callers send them: a JSON content type without a body is no body (Fastify 5 answers 400 to it by itself).
import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { RequestRefusal } from '../refusals.ts'

/** Nothing a caller needs is nested deeper; code that walks a body may recurse. */
const MAX_DEPTH = 16
// PostgreSQL's text and jsonb can't hold NUL, UTF-8 can't hold half a surrogate pair. Raw bytes can't make them, escapes can.
const SUSPICIOUS_ESCAPE = /\\u(0000|[dD][89a-fA-F])/
const CHARSET = /;\s*charset\s*=\s*("?)([^";]*)\1/gi

export const jsonBodies = fp(async (server: FastifyInstance) => {
  // Members named __proto__ or constructor.prototype are refused: nobody has a use for them but an attacker.
  const parse = server.getDefaultJsonParser('error', 'error')

  server.removeAllContentTypeParsers()
  for (const type of ['application/json', /^application\/[\w.+-]+\+json(;|$)/]) {
    server.addContentTypeParser<Buffer>(type, { parseAs: 'buffer' }, (request, body, done) => {
      if (body.length === 0) return done(null, undefined)
      const refusal = refusalOfCoding(request)
      if (refusal !== null) return done(refusal)
      // Decoding would put something else in the place of what is none.
      if (!isUtf8(body)) return done(new RequestRefusal(400, 'The body is not UTF-8.'))
      const text = body.toString('utf8')
      parse(request, text, (error, value) => {
        if (error !== null) return done(error)
        const fault = faultOfJson(value, text)
        if (fault === null) done(null, value)
        else done(new RequestRefusal(400, fault))
      })
    })
  }
  // Any other type is fine as long as nothing comes with it.
  server.addContentTypeParser<string>('*', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') done(null, undefined)
    else done(new RequestRefusal(415))
  })
}, { name: 'json-bodies' })

/** The bytes have been read as plain UTF-8: in any other coding they mean something else. */
export function refusalOfCoding ({ headers }: FastifyRequest): RequestRefusal | null {
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding.trim().toLowerCase() !== 'identity') return new RequestRefusal(415, 'The body must not be compressed.')
  const charsets = [...(headers['content-type'] ?? '').matchAll(CHARSET)].map(([, , charset = '']) => charset.trim().toLowerCase())
  return charsets.every(charset => charset === 'utf-8' || charset === 'utf8') ? null : new RequestRefusal(415, 'The body must be in UTF-8.')
}

/** What is wrong with JSON that can be parsed: the sentence, or null. @param text it was parsed from */
export function faultOfJson (value: unknown, text: string): string | null {
  const fault = faultOf(value, SUSPICIOUS_ESCAPE.test(text), 0)
  return fault ?? (membersIn(text) === membersOf(value) ? null : 'The body has a member twice.')
}

/** RFC 8259 §4: which of two members of one name counts is every reader's own guess. The parser has kept one of them. */
function membersIn (text: string): number {
  const withoutTexts = text.replaceAll(/\\./g, '').replaceAll(/"[^"]*"/g, '')
  return withoutTexts.split(':').length - 1
}

function membersOf (value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const values = Object.values(value)
  return values.reduce<number>((sum, each) => sum + membersOf(each), Array.isArray(value) ? 0 : values.length)
}

function faultOf (value: unknown, checkTexts: boolean, depth: number): string | null {
  if (typeof value === 'string') return checkTexts && !isStorable(value) ? 'The body holds a NUL or half a surrogate pair.' : null
  if (typeof value !== 'object' || value === null) return null
  if (depth === MAX_DEPTH) return `The body is nested deeper than ${MAX_DEPTH} levels.`
  for (const [name, member] of Object.entries(value)) {
    const fault = faultOf(name, checkTexts, depth) ?? faultOf(member, checkTexts, depth + 1)
    if (fault !== null) return fault
  }
  return null
}

function isStorable (text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed()
}
