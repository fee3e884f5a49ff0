// `Idempotency-Key` on every POST of a scope: a repeat gets the answer of the first request. Registered before the routes and behind authentication.
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import Type, { type TObject } from 'typebox'
import type { IdempotentRequests, KeptAnswer, OpenRequest } from '../../idempotency/idempotent-requests.ts'
import { checkKey } from '../../idempotency/refusals.ts'
import { canonicalJson } from '../../registration/metadata/canonical-json.ts'

/** The use cases, and the numbers of this process. */
export interface Idempotency {
  requests: IdempotentRequests
  requestDeadlineMs: number
}

export interface IdempotencyOptions {
  idempotency: Idempotency
  /** Added to the deadline: how much longer than it a request of this scope may last. */
  overtimeMs: number
  /** What the request makes or changes: a `new` registration, one with an id, or something else (null). */
  registrationOf (request: FastifyRequest): 'new' | { id: string } | null
  /** False: the header is ignored. */
  takesKey? (request: FastifyRequest): boolean
  /** An answer is given again, about this registration. */
  onRepeat? (reply: FastifyReply, resourceId: string | null): void
  /** A failure of the scope's dialect, for the document. */
  failure (description: string): object
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False: a POST that makes nothing, or whose answer is a stream. */
    idempotent?: false
  }
  interface FastifyRequest {
    /** The record of the request's idempotency key; null: it has none. */
    keyed: OpenRequest | null
  }
}

const HEADER = 'idempotency-key'
/** What of an answer is given again beside status and body. */
const KEPT_HEADERS = ['content-type', 'location', 'etag']

export const idempotency = fp<IdempotencyOptions>(async (server: FastifyInstance, options: IdempotencyOptions) => {
  const { idempotency: { requests, requestDeadlineMs }, registrationOf, overtimeMs, takesKey = () => true, onRepeat, failure } = options
  const leaseMs = requestDeadlineMs + overtimeMs
  const remainingMs = (reply: FastifyReply) => Math.max(0, requestDeadlineMs - reply.elapsedTime)
  const isKeyed = (request: FastifyRequest) =>
    request.headers[HEADER] !== undefined && isIdempotent(request.method, request.routeOptions.config) && takesKey(request)

  if (!server.hasRequestDecorator('keyed')) server.decorateRequest('keyed', null)

  server.addHook('onRoute', route => {
    if (isIdempotent(route.method, route.config)) route.schema = described(route, failure)
  })

  // Before the body is judged: nothing is begun for a key that is none.
  server.addHook('preValidation', async request => {
    if (isKeyed(request)) checkKey(request.headers[HEADER])
  })

  // After the schema: what it refuses leaves no record.
  server.addHook('preHandler', async (request, reply) => {
    if (!isKeyed(request) || request.caller === null) return
    const begun = await requests.begin({
      callerId: request.caller.id,
      operation: `POST ${request.routeOptions.url}`,
      key: String(request.headers[HEADER]),
      payload: canonicalJson([request.params, request.query, request.headers['if-match'] ?? null, request.body ?? null]),
      registration: registrationOf(request),
      leaseMs,
      remainingMs: remainingMs(reply)
    })
    if (begun.kind === 'open') {
      request.keyed = begun.request
      return
    }
    onRepeat?.(reply, begun.resourceId)
    const { status, headers, body } = begun.answer
    return reply.code(status).headers(headers).header('idempotency-replayed', 'true').send(body === '' ? undefined : body)
  })

  // Before the answer leaves: whoever has it can ask for it again.
  server.addHook('onSend', async (request, reply, payload) => {
    const { keyed } = request
    if (keyed === null) return
    request.keyed = null
    const answer = answerOf(reply, payload)
    if (keyed.resourceId === null) keyed.resourceId = idOfCreated(answer)
    await requests.end(keyed, answer, remainingMs(reply))
  })
}, { name: 'idempotency' })

function isIdempotent (method: string | string[], config: { idempotent?: false } | undefined): boolean {
  return method === 'POST' && config?.idempotent !== false
}

function answerOf (reply: FastifyReply, payload: unknown): KeptAnswer | { status: number, body: null } {
  const status = reply.statusCode
  const body = payload === undefined || payload === null ? '' : payload
  if (typeof body !== 'string') return { status, body: null }
  const headers = KEPT_HEADERS.flatMap(name => {
    const value = reply.getHeader(name)
    return value === undefined ? [] : [[name, String(value)]]
  })
  return { status, headers: Object.fromEntries(headers), body }
}

/** Whatever is made here has an id; a change of it makes the answer void. */
function idOfCreated ({ status, body }: { status: number, body: string | null }): string | null {
  if (status !== 201 || body === null) return null
  const { id } = JSON.parse(body) as { id?: unknown }
  return typeof id === 'string' ? id : null
}

const headerSchema = Type.Optional(Type.String({
  // Whoever has it and the caller's key is shown the secrets of the answer again.
  'x-secret': true,
  description: '1 to 255 printable ASCII characters. For 24 hours the same request with the same key gets the same answer, with `Idempotency-Replayed: true`.'
}))

const IN_THE_WAY = 'A request with the same Idempotency-Key is under way (with Retry-After), or what it made was changed since.'

/** The schema with the header, and with what it can lead to. */
function described ({ schema = {} }: RouteOptions, failure: IdempotencyOptions['failure']): FastifySchema {
  const headers = (schema.headers as TObject | undefined)?.properties ?? {}
  const response = (schema.response ?? {}) as Record<string, { description?: string }>
  const conflict = response['409'] === undefined ? '' : `${response['409'].description} `
  return {
    ...schema,
    headers: Type.Object({ ...headers, [HEADER]: headerSchema }),
    response: {
      ...response,
      409: failure(`${conflict}${IN_THE_WAY}`),
      422: failure('The Idempotency-Key stands for another request.')
    }
  }
}
