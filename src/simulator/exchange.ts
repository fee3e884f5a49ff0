// What surrounds every simulated request, Graph or identity: its ids, the journal, and the faults.
import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { CaughtFault, FaultAction } from './faults.ts'
import { withoutSecrets } from './journal.ts'
import type { JournalEntry } from './journal.ts'
import type { Simulation } from './tenants.ts'

export interface Exchange {
  requestId: string
  /** What the caller sent, or the request id. */
  clientRequestId: string
  entry: JournalEntry | null
  fault: CaughtFault | null
}

/** The ids and the fault of a request under `watchExchanges`. */
export const exchangeOf = (request: FastifyRequest): Exchange => request.getDecorator<Exchange>('exchange')

/** Adds the journal and the faults to a part of the server. */
export function watchExchanges (app: FastifyInstance, simulation: Simulation): void {
  app.decorateRequest('exchange')

  app.addHook('onRequest', (request, _reply, done) => {
    const requestId = randomUUID()
    const sent = request.headers['client-request-id']
    const clientRequestId = typeof sent === 'string' ? sent : null
    const fault = simulation.faults.catch(request.method, decodedPath(request.originalUrl))
    const entry = simulation.journal.open({
      at: new Date(simulation.now()).toISOString(), method: request.method, path: request.originalUrl, clientRequestId, requestId
    })
    if (entry !== null && fault !== null) entry.faultId = fault.id
    request.setDecorator('exchange', { requestId, clientRequestId: clientRequestId ?? requestId, entry, fault } satisfies Exchange)
    done()
  })

  // The body has been received, nothing has been applied.
  app.addHook('preHandler', (request, reply, done) => {
    const { entry, fault } = exchangeOf(request)
    if (entry !== null) entry.body = withoutSecrets(request.body) ?? null
    if (fault?.when !== 'before') return done()
    spoil(fault.action, request, reply, '', (payload) => payload === undefined ? done() : reply.send(payload))
  })

  app.addHook<string>('onSend', (request, reply, payload, done) => {
    const { fault } = exchangeOf(request)
    if (fault?.when !== 'after') return done()
    spoil(fault.action, request, reply, payload ?? '', (spoilt) => done(null, spoilt ?? payload))
  })

  app.addHook('onResponse', (request, reply, done) => {
    const { entry } = exchangeOf(request)
    if (entry !== null) entry.status = reply.statusCode
    done()
  })
}

/** Does what the rule says. `proceed` gets the replaced answer, or undefined to go on; it isn't called when no answer is to come. */
function spoil (
  action: FaultAction, request: FastifyRequest, reply: FastifyReply, payload: string, proceed: (payload?: string) => void
): void {
  switch (action.type) {
    case 'delay':
      setTimeout(proceed, action.ms)
      return
    case 'status':
      reply.code(action.status).headers(action.headers ?? {}).removeHeader('location')
      if (action.body !== undefined) reply.type('application/json')
      return proceed(action.body === undefined ? '' : JSON.stringify(action.body))
    case 'html':
      reply.code(action.status).type('text/html')
      return proceed(`<html><head><title>${action.status}</title></head><body><h2>Our services aren't available right now</h2></body></html>`)
    case 'truncate':
      return truncate(reply, payload === '' ? '{"value":[]}' : payload)
    case 'hang':
      // No answer: the connection stays open until the caller gives up or the simulator closes.
      return
    case 'reset':
      request.raw.socket.destroy()
  }
}

function truncate (reply: FastifyReply, payload: string): void {
  const bytes = Buffer.from(payload)
  reply.raw.writeHead(reply.statusCode, { 'content-type': 'application/json', 'content-length': bytes.length })
  reply.raw.write(bytes.subarray(0, bytes.length / 2), () => reply.raw.socket?.destroy())
}

function decodedPath (url: string): string {
  const path = url.split('?', 1)[0] ?? url
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
