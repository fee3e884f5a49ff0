// The Graph part of the simulator: authentication, headers, error form, body parsing, and the routes under /v1.0.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { authenticate } from './access.ts'
import { applicationsRoutes } from './applications-routes.ts'
import { deletedItemsRoutes } from './deleted-items-routes.ts'
import { exchangeOf } from './exchange.ts'
import { federatedCredentialsRoutes } from './federated-credentials-routes.ts'
import { GraphError } from './graph-errors.ts'
import { ownersRoutes } from './owners-routes.ts'
import { passwordsRoutes } from './passwords-routes.ts'
import { permissionGrantsRoutes } from './permission-grants-routes.ts'
import { principalsRoutes } from './principals-routes.ts'
import { roleAssignmentsRoutes } from './role-assignments-routes.ts'
import type { Simulation } from './tenants.ts'
import { createThrottle } from './throttle.ts'

const contentType = 'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8'
const diagnostic = JSON.stringify({
  ServerInfo: { DataCenter: 'Simulator', Slice: 'E', Ring: '1', ScaleUnit: '000', RoleInstance: 'SIM0000000' }
})

/** Registers Graph on a context whose prefix is /v1.0 and whose exchanges are watched. */
export function graphRoutes (app: FastifyInstance, simulation: Simulation): void {
  const throttle = createThrottle(simulation)
  parseJsonBodies(app)
  app.decorateRequest('graphCaller')

  app.addHook('onRequest', (request, reply, done) => {
    const { requestId, clientRequestId } = exchangeOf(request)
    reply.headers({
      'request-id': requestId,
      'client-request-id': clientRequestId,
      'x-ms-ags-diagnostic': diagnostic,
      'cache-control': 'no-cache',
      'odata-version': '4.0',
      'content-type': contentType
    })
    done()
  })
  app.addHook('preHandler', async (request, reply) => {
    const caller = await authenticate(request.headers.authorization, simulation)
    request.setDecorator('graphCaller', caller)
    throttle.count(caller, request.method, reply)
  })
  app.addHook('onSend', (_request, _reply, payload, done) => {
    // The write has been made by now: a caller that gives up meanwhile does not know its outcome.
    if (simulation.lag.latencyMs === 0) return done(null, payload)
    setTimeout(done, simulation.lag.latencyMs, null, payload)
  })
  app.setErrorHandler((error, request, reply) => sendError(simulation, error, request, reply))
  app.setNotFoundHandler((request, reply) => {
    const segment = request.originalUrl.split('?', 1)[0]?.split('/').at(-1) ?? ''
    return sendError(simulation, new GraphError(400, 'BadRequest', `Resource not found for the segment '${segment}'.`), request, reply)
  })

  applicationsRoutes(app, simulation)
  passwordsRoutes(app, simulation)
  federatedCredentialsRoutes(app, simulation)
  ownersRoutes(app, simulation)
  principalsRoutes(app, simulation)
  roleAssignmentsRoutes(app, simulation)
  permissionGrantsRoutes(app, simulation)
  deletedItemsRoutes(app, simulation)
}

function sendError (simulation: Simulation, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const fault = error instanceof GraphError ? error : unexpected(error)
  const { requestId, clientRequestId } = exchangeOf(request)
  return reply.code(fault.status).headers(fault.headers).type('application/json')
    .send(fault.toBody({ date: new Date(simulation.now()), requestId, clientRequestId }))
}

function unexpected (error: unknown): GraphError {
  const { statusCode, message } = error as { statusCode?: number, message: string }
  return statusCode !== undefined && statusCode < 500
    ? new GraphError(statusCode, 'BadRequest', message)
    : new GraphError(500, 'InternalServerError', message)
}

/** Graph accepts a JSON content type without a body. */
function parseJsonBodies (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    if (text === '') return done(null, undefined)
    try {
      done(null, JSON.parse(String(text)))
    } catch {
      done(new GraphError(400, 'BadRequest',
        'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.'))
    }
  })
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume().on('end', () => done(null, undefined))
  })
}
