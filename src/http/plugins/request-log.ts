// One line per request, when it is over. Neither the query nor what stands in the path in the place of an id: people put keys there.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { sourceAddressOf } from '../source-address.ts'

/** Keys and tokens have at least 12 characters (settings/key-lists.ts). */
const SHORT = /^[\w.-]{0,11}$/
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i
const WITHHELD = '*'

export const requestLog = fp(async (server: FastifyInstance) => {
  server.addHook('onResponse', (request, reply, done) => {
    done()
    if (request.isUnlogged || !isLogged(request)) return
    request.log.info({
      method: request.method,
      path: loggedPath(request),
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 10) / 10,
      callerId: request.caller?.id,
      address: sourceAddressOf(request)
    }, 'Request')
  })
}, { name: 'request-log' })

/** Else nothing is put together for a line that is thrown away. */
const isLogged = ({ log }: FastifyRequest): boolean => (log as { isLevelEnabled?: (level: string) => boolean }).isLevelEnabled?.('info') ?? true

/** The path as it came, with `*` for each segment that is no literal of the route, no UUID and not short. */
function loggedPath ({ url, is404, routeOptions }: FastifyRequest): string {
  const literals = is404 ? [] : routeOptions.url?.split('/') ?? []
  const segments = url.split(/[?#]/, 1)[0]?.split('/') ?? []
  return segments.map((segment, index) => segment === literals[index] || SHORT.test(segment) || UUID.test(segment) ? segment : WITHHELD).join('/')
}
