// Scopes that the broker grants: opt-in twice, by the scope catalogue and by the policy that names them.
import type { Test } from 'tap'
import t from 'tap'
import type { PolicyRules } from '../../src/registration/policy.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { eventually } from '../support/eventually.ts'
import { ownedBy, startPreparedBroker, type Owned } from './prepared-broker.ts'

t.jobs = 2

const RESOURCE = 'api://orders'
const GRANTING = ['Application.ReadWrite.OwnedBy', 'AppRoleAssignment.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All']

async function openBroker (t: Test, rules: Partial<PolicyRules>, brokerRoles = GRANTING) {
  return await startPreparedBroker(t, {
    simulator: { brokerRoles },
    policies: { default: rules },
    scopes (simulator) {
      const { appId, appRoleIds } = simulator.control.addResource({ displayName: 'Orders', identifierUris: [RESOURCE], appRoles: ['Orders.Read.All'] })
      return [{ name: 'orders', resourceAppId: appId, permissionId: String(appRoleIds['Orders.Read.All']), type: 'Role', granted: true }]
    }
  })
}

const service = (changes: object = {}) => ({ client_name: 'Service', grant_types: ['client_credentials'], scope: 'orders', ...changes })

async function rolesOf ({ url, tenantId }: Simulator, { id, secret }: Owned): Promise<unknown> {
  const response = await fetch(`${url}/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: String(secret), scope: `${RESOURCE}/.default` })
  })
  const { access_token: token } = await response.json() as { access_token: string }
  return (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { roles?: unknown }).roles ?? []
}

t.test('a scope that catalogue and policy name is granted, and taken back when an update leaves it out', async t => {
  const { register, manage, simulator } = await openBroker(t, { scopes: ['orders'] })
  const client = ownedBy(await register(service()))
  t.equal(client.body.scope, 'orders')
  t.same(await rolesOf(simulator, client), ['Orders.Read.All'])
  const replaced = ownedBy(await manage('PUT', client.uri, client.token, { ...service({ scope: '' }), client_id: client.id }))
  t.same(await rolesOf(simulator, replaced), [])
})

t.test('a policy that allows every scope grants none: an administrator does', async t => {
  const { register, simulator } = await openBroker(t, { scopes: null })
  const client = ownedBy(await register(service()))
  t.equal(client.body.scope, 'orders')
  t.same(await rolesOf(simulator, client), [])
})

t.test('without the Graph permission the client is registered all the same, and the operator reads which one is missing', async t => {
  const { register, simulator, database, logLines } = await openBroker(t, { scopes: ['orders'] }, ['Application.ReadWrite.OwnedBy'])
  const client = ownedBy(await register(service()))
  t.same(await rolesOf(simulator, client), [])
  t.ok(logLines.some(line => line.includes('AppRoleAssignment.ReadWrite.All')))
  await eventually('it is in the audit', async () => (await database.query("SELECT FROM audit_event WHERE action = 'registration.grant_denied'")).rowCount === 1)
})
