// The control API under /_simulator, for those who aren't in the same process. Loopback only by default; it has no authentication.
//   GET PUT    /_simulator/lag                      LagSettings (lag.ts)
//   GET PUT    /_simulator/policy[?tenant=]         TenantPolicy (tenants.ts)
//   GET POST DELETE /_simulator/faults              FaultRule (faults.ts); POST answers {id}; DELETE takes ?id=
//   GET DELETE /_simulator/journal[?method=&path=]  JournalEntry[] (journal.ts); PUT {enabled}
//   GET        /_simulator/state[?tenant=]          TenantState (control.ts)
//   GET POST   /_simulator/tenants                  {tenantId}; GET lists ids, POST answers {tenantId, broker}
//   POST       /_simulator/roles                    {clientId, resource, role, tenantId?}
//   POST       /_simulator/resources[?tenant=]      ResourceOptions (seed.ts); answers ResourceIdentity
//   POST       /_simulator/signing-key              {withdrawFormer?}: a new one; answers {kid}
//   PUT        /_simulator/federation-keys          {issuer, keys}: the public keys of an issuer of assertions
import type { FastifyInstance } from 'fastify'
import type { JWK } from 'jose'
import { ControlError } from './control.ts'
import type { SimulatorControl } from './control.ts'
import type { FaultRule } from './faults.ts'
import type { LagSettings } from './lag.ts'
import type { ResourceOptions } from './seed.ts'
import type { Simulation, TenantPolicy } from './tenants.ts'

interface TenantQuery { Querystring: { tenant?: string } }

export function controlRoutes (app: FastifyInstance, simulation: Simulation, control: SimulatorControl): void {
  app.setErrorHandler((error, _request, reply) => {
    const { statusCode = 500, message } = error as { statusCode?: number, message: string }
    const isCallersFault = error instanceof ControlError || error instanceof SyntaxError
    return reply.code(isCallersFault ? 400 : statusCode).send({ error: message })
  })

  app.get('/lag', () => control.lag())
  app.put<{ Body: Partial<LagSettings> }>('/lag', ({ body }) => control.lag(body))

  app.get<TenantQuery>('/policy', ({ query }) => control.policy({}, query.tenant))
  app.put<TenantQuery & { Body: Partial<TenantPolicy> }>('/policy', ({ body, query }) => control.policy(body, query.tenant))

  app.get('/faults', () => control.faults.armed())
  app.post<{ Body: FaultRule }>('/faults', { schema: { body: faultSchema } }, ({ body }, reply) => reply.code(201).send({ id: control.faults.add(body) }))
  app.delete<{ Querystring: { id?: string } }>('/faults', ({ query }, reply) => {
    control.faults.clear(query.id === undefined ? undefined : Number(query.id))
    return reply.code(204).send()
  })

  app.get<{ Querystring: { method?: string, path?: string } }>('/journal', ({ query }) => control.journal.entries(query))
  app.put<{ Body: { enabled: boolean } }>('/journal', ({ body }) => {
    control.journal.enabled = body.enabled
    return { enabled: control.journal.enabled }
  })
  app.delete('/journal', (_request, reply) => {
    control.journal.clear()
    return reply.code(204).send()
  })

  app.get<TenantQuery>('/state', ({ query }) => control.state(query.tenant))

  app.get('/tenants', () => [...simulation.tenants.keys()])
  app.post<{ Body: { tenantId?: string } | undefined }>('/tenants', ({ body }, reply) => reply.code(201).send(control.addTenant(body?.tenantId)))

  app.post<{ Body: { clientId: string, resource: string, role: string, tenantId?: string } }>('/roles', ({ body }, reply) => {
    control.assignRole(body.clientId, body.resource, body.role, body.tenantId)
    return reply.code(204).send()
  })
  app.post<TenantQuery & { Body: ResourceOptions }>('/resources', { schema: { body: resourceSchema } }, ({ body, query }, reply) =>
    reply.code(201).send(control.addResource(body, query.tenant)))
  app.post<{ Body: { withdrawFormer?: boolean } | undefined }>('/signing-key', async ({ body }, reply) =>
    await reply.code(201).send({ kid: await control.rotateSigningKey(body?.withdrawFormer) }))
  app.put<{ Body: { issuer: string, keys: JWK[] } }>('/federation-keys', { schema: { body: keysSchema } }, ({ body }, reply) => {
    control.federationKeys(body.issuer, body.keys)
    return reply.code(204).send()
  })
}

const resourceSchema = {
  type: 'object',
  required: ['displayName', 'identifierUris'],
  properties: {
    displayName: { type: 'string' },
    identifierUris: { type: 'array', items: { type: 'string' } },
    requestedAccessTokenVersion: { enum: [null, 1, 2] },
    scopes: { type: 'array' },
    appRoles: { type: 'array', items: { type: 'string' } }
  }
}

const keysSchema = {
  type: 'object',
  required: ['issuer', 'keys'],
  properties: { issuer: { type: 'string' }, keys: { type: 'array', items: { type: 'object' } } }
}

const faultSchema = {
  type: 'object',
  required: ['match', 'action'],
  properties: {
    match: { type: 'object' },
    action: {
      type: 'object',
      required: ['type'],
      properties: { type: { enum: ['status', 'html', 'reset', 'hang', 'delay', 'truncate'] } }
    },
    when: { enum: ['before', 'after'] }
  }
}
