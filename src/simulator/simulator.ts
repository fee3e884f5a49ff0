// The Entra simulator: a small real server that stands in for Microsoft Graph and the token endpoints, so that the broker can be
// run, tested and measured without a tenant. One listener serves
//   /v1.0/…        Graph: applications, servicePrincipals, oauth2PermissionGrants, directory/deletedItems
//   /<tenant>/…    identity: oauth2/v2.0/authorize, oauth2/token, oauth2/v2.0/token, discovery, keys
//   /_simulator/…  control: lag, policy, faults, journal, state (control-routes.ts lists it)
// It shares no code with the broker, so that the two can't share a mistake; what nobody has checked against a real tenant stands
// in docs/unverified-against-entra.md. State is in memory; `snapshot()` and the option `state` carry it over a restart.
//
// A test starts one of its own and closes it:
//   const simulator = await startSimulator({ lag: { secretDelayMs: 5000 }, now: () => clock })
//   simulator.control.faults.add({ match: { method: 'POST', path: 'addPassword$' }, action: { type: 'reset' }, when: 'after' })
//   simulator.control.journal.entries({ path: 'addPassword' })
import Fastify from 'fastify'
import type { AddressInfo } from 'node:net'
import { authorizeEndpoint } from './authorize.ts'
import { controlRoutes } from './control-routes.ts'
import { createControl } from './control.ts'
import type { SimulatorControl } from './control.ts'
import { discoveryRoutes } from './discovery.ts'
import { watchExchanges } from './exchange.ts'
import { createFaultRules } from './faults.ts'
import { graphRoutes } from './graph.ts'
import { createJournal } from './journal.ts'
import { noLag } from './lag.ts'
import type { LagSettings } from './lag.ts'
import { rewriteKeys } from './odata.ts'
import { seedTenant } from './seed.ts'
import { loadSnapshot, takeSnapshot } from './snapshot.ts'
import type { SimulatorSnapshot } from './snapshot.ts'
import { addTenant } from './tenants.ts'
import type { ClientIdentity, Simulation } from './tenants.ts'
import { tokenEndpoints } from './token-endpoint.ts'
import { createTokenSigner } from './tokens.ts'

export interface SimulatorOptions {
  /** Default 127.0.0.1. */
  host?: string
  /** 0, the default, takes a free one. */
  port?: number
  /** Id of the first tenant; random unless given. Ignored when `state` is. */
  tenantId?: string
  /** What `snapshot()` of an earlier run answered. */
  state?: SimulatorSnapshot
  lag?: Partial<LagSettings>
  /** Milliseconds since the epoch; a test's own clock. */
  now?: () => number
  /** The broker's application roles on Microsoft Graph. Default: Application.ReadWrite.OwnedBy. */
  brokerRoles?: string[]
  /** Called after every change of the state, so that it can be saved. */
  onChange?: () => void
}

export interface Simulator {
  /** Base of every URL: Graph is at `<url>/v1.0`, the authority at `<url>/<tenantId>`. */
  url: string
  /** The first tenant. */
  tenantId: string
  /** The broker's identity in the first tenant. */
  broker: ClientIdentity
  control: SimulatorControl
  snapshot (): SimulatorSnapshot
  /** Closes the listener and every connection, also those that hang. */
  close (): Promise<void>
}

export type { SimulatorControl, SimulatorSnapshot, LagSettings }

/** Starts a simulator and resolves once it listens. Rejects when the port is taken. */
export async function startSimulator (options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = '127.0.0.1', port = 0, state, now = Date.now, brokerRoles = ['Application.ReadWrite.OwnedBy'] } = options
  let url = ''
  const simulation: Simulation = {
    tenants: new Map(),
    lag: { ...noLag, ...options.lag },
    faults: createFaultRules(),
    journal: createJournal(),
    signer: await createTokenSigner(state?.signingKey),
    federationKeys: new Map(),
    now,
    url: () => url,
    changed: options.onChange ?? (() => {})
  }
  if (state === undefined) seedTenant(addTenant(simulation, options.tenantId), brokerRoles, now())
  else loadSnapshot(simulation, state)
  const [first] = simulation.tenants.values()
  if (first === undefined) throw new Error('The snapshot has no tenant.')

  const control = createControl(simulation, brokerRoles)
  const app = buildServer(simulation, control)
  await app.listen({ host, port })
  const { port: actualPort } = app.server.address() as AddressInfo
  url = `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${actualPort}`
  return {
    url,
    tenantId: first.id,
    broker: first.broker,
    control,
    snapshot: () => takeSnapshot(simulation),
    close: async () => { await app.close() }
  }
}

function buildServer (simulation: Simulation, control: SimulatorControl) {
  const app = Fastify({
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 1024 },
    rewriteUrl: request => rewriteKeys(request.url ?? '/')
  })
  app.register(async scope => controlRoutes(scope, simulation, control), { prefix: '/_simulator' })
  app.register(async scope => {
    watchExchanges(scope, simulation)
    scope.register(async graph => graphRoutes(graph, simulation), { prefix: '/v1.0' })
    scope.register(async identity => tokenEndpoints(identity, simulation))
    scope.register(async identity => authorizeEndpoint(identity, simulation))
    scope.register(async identity => discoveryRoutes(identity, simulation))
  })
  return app
}
