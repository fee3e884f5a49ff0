// POST /introspect (RFC 7662): whether a token of Entra is one of a registered client, now.
import type { FastifyInstance } from 'fastify'
import type { Gateway } from '../../gateway/gateway.ts'
import type { RecogniseCaller } from '../callers.ts'
import { refusalOfCoding } from '../plugins/json-bodies.ts'
import { RequestRefusal } from '../refusals.ts'
import { authenticateGateway, keyInAuthorization } from './authentication.ts'
import { GatewayRefusal } from './errors.ts'
import { presentIntrospection, type Providers } from './presenter.ts'
import { introspectToken } from './route-schemas.ts'

export interface IntrospectionOptions {
  gateway: Pick<Gateway, 'introspect'>
  recogniseCaller: RecogniseCaller
  providers: Providers
}

/** Tokens of Entra have some two thousand characters, with many groups and roles more. */
const LONGEST_FORM_BYTES = 32 * 1024

export async function introspection (server: FastifyInstance, { gateway, recogniseCaller, providers }: IntrospectionOptions): Promise<void> {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser<string>('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: LONGEST_FORM_BYTES }, (request, body, done) => {
    const refusal = refusalOfCoding(request)
    if (refusal !== null) return done(refusal)
    const members = [...new URLSearchParams(body)]
    // RFC 6749 §3.1: which of two would count is everybody's own guess.
    const isTwice = new Set(members.map(([name]) => name)).size < members.length
    done(isTwice ? new RequestRefusal(400, 'The request has a parameter twice.') : null, Object.fromEntries(members))
  })
  server.addContentTypeParser<string>('*', { parseAs: 'string', bodyLimit: LONGEST_FORM_BYTES }, (_request, _body, done) => {
    done(new RequestRefusal(415, 'The body must be application/x-www-form-urlencoded.'))
  })

  server.post<{ Body: { token: string } | undefined }>('/introspect', {
    schema: introspectToken,
    config: { guard: 'gateway', scope: 'introspect' },
    onRequest: async request => {
      request.caller = await authenticateGateway(server, recogniseCaller, keyInAuthorization(request), request)
    }
  }, async request => {
    // Each would bury the log; refusals say why at the level debug.
    request.isUnlogged = true
    const token = request.body?.token ?? ''
    if (token === '') throw new GatewayRefusal(400, 'invalid_request', 'The parameter token is required.')
    const accepted = await gateway.introspect(token, request.caller?.providerId ?? null)
    // RFC 7662 §2.2: nothing else is said of a token that is not active.
    return accepted === null ? { active: false as const } : presentIntrospection(accepted, providers)
  })
}
