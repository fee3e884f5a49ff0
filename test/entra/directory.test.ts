// The Directory of an Entra tenant keeps the laws of its port: on the simulator always, on a real tenant when AZURE_TEST_* names one.
import t, { type Test } from 'tap'
import { setTimeout as pause } from 'node:timers/promises'
import { createEntraDirectories, type EntraProviderSettings } from '../../src/entra/entra-directories.ts'
import type { Directory } from '../../src/registration/ports.ts'
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/simulator.ts'
import { directoryContract } from '../contracts/directory-contract.ts'
import { cleared, rich, wantedFor } from './directory-samples.ts'
import { faultOf, patience } from './scripted-entra.ts'

const common = { providerId: 'default', attemptTimeoutMs: 3000 }
const granting = ['Application.ReadWrite.OwnedBy', 'AppRoleAssignment.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All']

async function simulate (t: Test, options: SimulatorOptions = {}) {
  const simulator = await startSimulator({ brokerRoles: granting, ...options })
  const directories = createEntraDirectories([simulated(simulator)])
  t.teardown(async () => {
    await directories.close()
    await simulator.close()
  })
  return { simulator, directory: directories.of('default'), resource: orders(simulator) }
}

/** A resource with something to grant. */
function orders ({ control }: Simulator) {
  const { appId, scopeIds, appRoleIds } = control.addResource({
    displayName: 'Orders', identifierUris: ['api://orders'], scopes: ['orders.read', { value: 'orders.write', adminOnly: true }], appRoles: ['Orders.Export']
  })
  return {
    resourceAppId: appId,
    permissions: [
      ...Object.values(scopeIds).map(id => ({ id, type: 'Scope' as const })),
      ...Object.values(appRoleIds).map(id => ({ id, type: 'Role' as const }))
    ]
  }
}

async function principal (directory: Directory, registrationId: string): Promise<string> {
  const wanted = wantedFor(registrationId)
  const { clientId } = await directory.ensureApplication(`dcr-${registrationId}`, wanted, patience())
  return await directory.ensurePrincipal(clientId, wanted, patience())
}

type ReadCollection = (path: string) => Promise<Array<Record<string, unknown>>>

/** Reads collections of Graph as somebody who may read the whole directory. */
async function reader (simulator: Simulator): Promise<ReadCollection> {
  const { clientId, clientSecret } = simulator.control.addClient('Auditor')
  simulator.control.assignRole(clientId, 'https://graph.microsoft.com', 'Directory.Read.All')
  const json = async (path: string, init: RequestInit): Promise<Record<string, unknown>> =>
    await (await fetch(simulator.url + path, init)).json() as Record<string, unknown>
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope: 'https://graph.microsoft.com/.default' }
  const { access_token: token } = await json(`/${simulator.tenantId}/oauth2/v2.0/token`, { method: 'POST', body: new URLSearchParams(form) })
  return async path => (await json(`/v1.0${path}`, { headers: { authorization: `Bearer ${String(token)}` } }))['value'] as Array<Record<string, unknown>>
}

async function held (graph: ReadCollection, principalId: string): Promise<{ roles: unknown[], scopes: unknown[] }> {
  const roles = (await graph(`/servicePrincipals/${principalId}/appRoleAssignments`)).map(({ appRoleId }) => appRoleId)
  const scopes = (await graph(`/oauth2PermissionGrants?$filter=clientId eq '${principalId}'`)).map(({ scope }) => scope)
  return { roles, scopes }
}

t.test('on the simulator, consistent at once', async t => {
  const { simulator, directory, resource } = await simulate(t)
  await directoryContract(t, { directory, resource, replication: async () => await Promise.resolve() })
  const { applications, servicePrincipals, deletedItems } = simulator.control.state()
  const left = JSON.stringify([applications, servicePrincipals, deletedItems])
  t.notMatch(left, /dcr-reg:/, 'the suite leaves nothing behind')
})

t.test('an application keeps what an administrator has set, and loses what the broker takes back', async t => {
  const { simulator, directory } = await simulate(t)
  const plain = wantedFor('r1')
  const stored = (): unknown => simulator.control.state().applications.find(one => 'uniqueName' in one && one.uniqueName === 'dcr-r1')
  const full = {
    web: { homePageUrl: rich.homePageUrl, redirectUris: plain.redirectUris.web },
    info: { termsOfServiceUrl: rich.termsOfServiceUrl, privacyStatementUrl: rich.privacyStatementUrl },
    isFallbackPublicClient: true,
    requiredResourceAccess: [{ resourceAppId: '00000003-0000-0000-c000-000000000000', resourceAccess: [{ type: 'Scope' }] }]
  }
  const bare = {
    web: { homePageUrl: null, redirectUris: plain.redirectUris.web },
    info: { termsOfServiceUrl: null, privacyStatementUrl: null },
    isFallbackPublicClient: false,
    requiredResourceAccess: { length: 0 }
  }
  const { objectId } = await directory.ensureApplication('dcr-r1', { ...plain, ...rich }, patience())
  const sends = {
    ensureApplication: async (change: object) => await directory.ensureApplication('dcr-r1', { ...plain, ...change }, patience()),
    updateApplication: async (change: object) => await directory.updateApplication(objectId, { ...plain, ...change }, patience())
  }
  for (const [name, send] of Object.entries(sends)) {
    await send(rich)
    t.match(stored(), full, name)
    await send({})
    t.match(stored(), full, `${name} without them`)
    await send(cleared)
    t.match(stored(), bare, `${name} with empty ones`)
  }
})

t.test('what is granted is there for the client and for nobody else, and goes when it is taken back', async t => {
  const { simulator, directory, resource } = await simulate(t)
  const [principalId, otherId] = [await principal(directory, 'r1'), await principal(directory, 'r2')]
  const graph = await reader(simulator)
  await directory.syncGrants(principalId, { granted: [resource], revoked: [] }, patience())
  const whole = { roles: resource.permissions.filter(({ type }) => type === 'Role').map(({ id }) => id), scopes: ['orders.read orders.write'] }
  t.strictSame(await held(graph, principalId), whole)
  t.strictSame(await held(graph, otherId), { roles: [], scopes: [] })
  const [read, ...others] = resource.permissions
  if (read === undefined) throw new Error('a resource without permissions')
  const change = { granted: [{ ...resource, permissions: [read] }], revoked: [{ ...resource, permissions: others }] }
  await directory.syncGrants(principalId, change, patience())
  t.strictSame(await held(graph, principalId), { roles: [], scopes: ['orders.read'] })
  await directory.syncGrants(principalId, { granted: [], revoked: [resource] }, patience())
  t.strictSame(await held(graph, principalId), { roles: [], scopes: [] })
})

t.test('a broker that may grant one kind of permission grants it, and is `denied` for the other', async t => {
  const cases = { 'AppRoleAssignment.ReadWrite.All': { roles: 1, scopes: 0 }, 'DelegatedPermissionGrant.ReadWrite.All': { roles: 0, scopes: 1 } }
  for (const [role, expected] of Object.entries(cases)) {
    const { simulator, directory, resource } = await simulate(t, { brokerRoles: ['Application.ReadWrite.OwnedBy', role] })
    const principalId = await principal(directory, 'r1')
    t.match(await faultOf(directory.syncGrants(principalId, { granted: [resource], revoked: [] }, patience())), { fault: 'denied' })
    const { roles, scopes } = await held(await reader(simulator), principalId)
    t.strictSame({ roles: roles.length, scopes: scopes.length }, expected, role)
  }
})

t.test('on the simulator, replicating, with reads that go backwards', async t => {
  const clock = { aheadMs: 0 }
  const { directory, resource } = await simulate(t, {
    now: () => Date.now() + clock.aheadMs,
    lag: {
      readDelayMs: 3000,
      listDelayMs: 2000,
      principalDelayMs: 2000,
      tokenDelayMs: 3000,
      secretDelayMs: 5000,
      staleReadMs: 2000,
      concurrencyWindowMs: 500
    }
  })
  await directoryContract(t, { directory, resource, replication: async () => { clock.aheadMs += 1000 } })
})

const { AZURE_TEST_TENANT_ID: tenantId, AZURE_TEST_CLIENT_ID: clientId, AZURE_TEST_CLIENT_SECRET: secret } = process.env
if (tenantId !== undefined && clientId !== undefined && secret !== undefined) {
  t.test('on a real tenant', { timeout: 600_000 }, async t => {
    const authorityHost = process.env['AZURE_TEST_AUTHORITY_HOST'] ?? 'https://login.microsoftonline.com'
    const directories = createEntraDirectories([
      { ...common, tenantId, clientId, credential: { kind: 'secret', secret }, authorityHost, attemptTimeoutMs: 10_000 }
    ])
    t.teardown(async () => await directories.close())
    await directoryContract(t, {
      directory: directories.of('default'), resource: null, replication: async () => { await pause(2000) }
    })
  })
} else {
  t.comment('AZURE_TEST_TENANT_ID, AZURE_TEST_CLIENT_ID and AZURE_TEST_CLIENT_SECRET are not set: no real tenant was asked')
}

function simulated (simulator: Simulator): EntraProviderSettings {
  return {
    ...common,
    tenantId: simulator.tenantId,
    clientId: simulator.broker.clientId,
    credential: { kind: 'secret', secret: simulator.broker.clientSecret },
    authorityHost: simulator.url,
    graphBaseUrl: `${simulator.url}/v1.0`
  }
}
