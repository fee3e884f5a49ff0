// Tells whoever counts or traces of every request: when it begins, and when its answer has left. Names the route's template, never the path.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

export interface ObservedRequest {
  requestId: string
  /** konnect, register, metadata, operations, gateway, health, docs; `none` for a path that no route has. */
  surface: string
  method: string
  /** The route's template; `none` for a path that no route has. */
  route: string
  status: number
  durationMs: number
}

/** A trace of one request. */
export interface RequestTrace {
  /** Runs what follows within the trace. */
  within (work: () => void): void
  end (request: ObservedRequest): void
}

export interface RequestObserver {
  answered (request: ObservedRequest): void
  /** Null: nothing is traced. `traceparent` as the caller sent it (W3C Trace Context). */
  trace: ((traceparent: string | undefined) => RequestTrace) | null
}

export const requestObservation = fp<{ observer: RequestObserver }>(async (server: FastifyInstance, { observer }) => {
  const traces = new WeakMap<FastifyRequest, RequestTrace>()

  if (observer.trace !== null) {
    const { trace } = observer
    server.addHook('onRequest', (request, _reply, done) => {
      const { traceparent } = request.headers
      const begun = trace(typeof traceparent === 'string' ? traceparent : undefined)
      traces.set(request, begun)
      begun.within(done)
    })
    // The body has come in by events of the socket, which know nothing of the trace.
    server.addHook('preValidation', (request, _reply, done) => {
      const begun = traces.get(request)
      if (begun === undefined) done()
      else begun.within(done)
    })
  }

  server.addHook('onResponse', (request, reply, done) => {
    const observed = observedRequest(request, reply)
    observer.answered(observed)
    traces.get(request)?.end(observed)
    done()
  })
}, { name: 'request-observation' })

function observedRequest (request: FastifyRequest, reply: FastifyReply): ObservedRequest {
  const { url } = request.routeOptions
  const route = url === undefined || url === '*' || request.is404 ? 'none' : url.replace(/(.)\/$/, '$1')
  return {
    requestId: request.id,
    surface: surfaceOf(route),
    // Methods of unknown paths are the caller's choice.
    method: route === 'none' ? 'any' : request.method,
    route,
    status: reply.statusCode,
    durationMs: reply.elapsedTime
  }
}

function surfaceOf (route: string): string {
  if (route === 'none') return 'none'
  if (route.startsWith('/konnect')) return 'konnect'
  if (route.includes('/.well-known/')) return 'metadata'
  if (/^(\/t\/:provider)?\/register/.test(route)) return 'register'
  if (route.startsWith('/v2/')) return 'operations'
  if (/^\/(introspect|verify(\/\*)?)$/.test(route)) return 'gateway'
  return /^\/(healthz|readyz|metrics)$/.test(route) ? 'health' : 'docs'
}
