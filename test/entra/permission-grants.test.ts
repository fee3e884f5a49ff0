// Permissions of the whole tenant: only what is missing is granted, only what the broker granted is taken back, and each call is sent once.
import t, { type Test } from 'tap'
import type { PermissionGrants, ResourceAccess } from '../../src/registration/registration.ts'
import { faultOf, patience, reply, startScriptedEntra, type Received, type Script } from './scripted-entra.ts'

const principalId = '55555555-5555-4555-8555-555555555555'
const resourceId = '66666666-6666-4666-8666-666666666666'
const resourceAppId = '88888888-8888-4888-8888-88888888888a'
const roles = `/v1.0/servicePrincipals/${resourceId}/appRoleAssignedTo`
const idOf = (number: number): string => `77777777-7777-4777-8777-77777777777${number}`
const access = (type: 'Scope' | 'Role', ...numbers: number[]): ResourceAccess =>
  ({ resourceAppId: resourceAppId.toUpperCase(), permissions: numbers.map(number => ({ id: idOf(number), type })) })
const assignment = (number: number, resource = resourceId): object =>
  ({ id: `assignment-${number}_${resource[0]}`, principalId, resourceId: resource, appRoleId: idOf(number) })
const grant = (scope: string, change: object = {}): object =>
  ({ id: 'qIVZ-grant_1', clientId: principalId, consentType: 'AllPrincipals', principalId: null, resourceId, scope, ...change })
const refusal = (code: string, message: string): object => ({ error: { code, message } })
const denied = refusal('Authorization_RequestDenied', 'Insufficient privileges to complete the operation.')

interface Tenant {
  assignments?: object[]
  grants?: object[]
  write?: Script
}

/** A resource with the roles 1 to 4 and the scopes `s1` to `s4`, of the same ids. */
const holding = ({ assignments = [], grants = [], write = (_request, answer) => { answer.writeHead(204).end() } }: Tenant): Script => (request, answer) => {
  if (request.method !== 'GET') return write(request, answer)
  if (request.path.includes('/appRoleAssignments')) return reply(answer, 200, { value: assignments })
  if (request.path.includes('/oauth2PermissionGrants')) return reply(answer, 200, { value: grants })
  const offered = [1, 2, 3, 4].map(number => ({ id: idOf(number).toUpperCase(), value: `s${number}` }))
  return reply(answer, 200, { id: resourceId, appRoles: offered, oauth2PermissionScopes: offered })
}

async function start (t: Test, graph: Script) {
  const entra = await startScriptedEntra(t.teardown, { graph })
  const sync = async (granted: ResourceAccess[], revoked: ResourceAccess[] = [], id = principalId): Promise<void> => {
    const grants: PermissionGrants = { granted, revoked }
    await entra.directories.of('default').syncGrants(id, grants, patience())
  }
  const show = ({ method, path, body }: Received): unknown[] => [`${method} ${path}`, ...body === '' ? [] : [JSON.parse(body) as unknown]]
  const writes = (): unknown[][] => entra.graphRequests.filter(({ method }) => method !== 'GET').map(show)
  return { entra, sync, writes }
}

t.test('roles that are missing are assigned, those that are taken back go, and all others stay', async t => {
  const elsewhere = '99999999-9999-4999-8999-999999999999'
  const { entra, sync, writes } = await start(t, holding({ assignments: [assignment(1), assignment(2), assignment(2, elsewhere), assignment(3)] }))
  await sync([access('Role', 1, 4)], [access('Role', 2)])
  t.strictSame(writes(), [
    [`POST ${roles}`, { principalId, resourceId, appRoleId: idOf(4) }],
    [`DELETE ${roles}/assignment-2_6`]
  ])
  t.strictSame(entra.graphRequests.filter(({ method }) => method === 'GET').map(({ path }) => path), [
    `/v1.0/servicePrincipals(appId='${resourceAppId}')?$select=id,appRoles`,
    `/v1.0/servicePrincipals/${principalId}/appRoleAssignments`
  ])
})

t.test('a role that is assigned or gone already is success', async t => {
  const { sync, writes } = await start(t, holding({
    assignments: [assignment(2)],
    write: ({ method }, answer) => method === 'POST'
      ? reply(answer, 400, refusal('Request_BadRequest', 'Permission being assigned already exists on the object'))
      : reply(answer, 404, refusal('Request_ResourceNotFound', 'x'))
  }))
  await sync([access('Role', 1)], [access('Role', 2)])
  t.equal(writes().length, 2)
})

t.test('scopes are granted by their values: in a grant of their own, or beside what is there', async t => {
  const none = await start(t, holding({}))
  await none.sync([access('Scope', 1, 2)])
  t.strictSame(none.writes(), [['POST /v1.0/oauth2PermissionGrants', { clientId: principalId, consentType: 'AllPrincipals', resourceId, scope: 's1 s2' }]])
  const some = await start(t, holding({ grants: [grant(' foreign  s1 s3')] }))
  await some.sync([access('Scope', 1, 2)], [access('Scope', 3)])
  t.strictSame(some.writes(), [['PATCH /v1.0/oauth2PermissionGrants/qIVZ-grant_1', { scope: 'foreign s1 s2' }]])
})

t.test('a grant without scopes is removed, and what is as it is wanted is not written', async t => {
  const emptied = await start(t, holding({ grants: [grant('s1 s2')], write: (_request, answer) => reply(answer, 404, refusal('Request_ResourceNotFound', 'x')) }))
  await emptied.sync([], [access('Scope', 1, 2)])
  t.strictSame(emptied.writes(), [['DELETE /v1.0/oauth2PermissionGrants/qIVZ-grant_1']])
  const settled = await start(t, holding({ grants: [grant('s2 foreign s1')], assignments: [assignment(1)] }))
  await settled.sync([access('Scope', 1, 2), access('Role', 1)], [access('Scope', 3), access('Role', 2)])
  t.strictSame(settled.writes(), [])
})

t.test('grants of single users, of other clients and of other resources are not touched', async t => {
  const { entra, sync, writes } = await start(t, holding({
    grants: [grant('s1', { consentType: 'Principal', id: 'user' }), grant('s1', { clientId: resourceId, id: 'client' }), grant('s1', { resourceId: principalId, id: 'resource' })]
  }))
  await sync([], [access('Scope', 1)])
  t.strictSame(writes(), [])
  t.match(decodeURIComponent(entra.graphRequests.at(-1)?.path ?? ''), `?$filter=clientId eq '${principalId}' and consentType eq 'AllPrincipals'`)
})

t.test('what is granted and taken back at once is granted', async t => {
  const { sync, writes } = await start(t, holding({ grants: [grant('s1')], assignments: [assignment(1)] }))
  await sync([access('Scope', 1), access('Role', 1)], [access('Scope', 1), access('Role', 1)])
  t.strictSame(writes(), [])
})

t.test('without the permission for one kind the other is granted all the same, and the call is `denied`', async t => {
  for (const [forbidden, allowed] of [['/appRoleAssigned', '/oauth2PermissionGrants'], ['/oauth2PermissionGrants', '/appRoleAssigned']] as const) {
    const { sync, writes } = await start(t, holding({
      write: ({ path }, answer) => path.includes(forbidden) ? reply(answer, 403, denied) : reply(answer, 201, {})
    }))
    t.match(await faultOf(sync([access('Scope', 1), access('Role', 1)])), { fault: 'denied', outcomeUnknown: false })
    t.equal(writes().filter(([call]) => String(call).includes(allowed)).length, 1)
  }
})

t.test('a resource or a permission that is not there is `rejected` before anything is written, and has nothing to take back', async t => {
  const gone = await start(t, ({ path }, answer) => path.includes('appId=') ? reply(answer, 404, refusal('Request_ResourceNotFound', 'x')) : reply(answer, 200, { value: [] }))
  t.match(await faultOf(gone.sync([access('Scope', 1)])), { fault: 'rejected', message: resourceAppId, diagnostics: { reason: 'resource_absent' } })
  await gone.sync([], [access('Scope', 1), access('Role', 1)])
  t.strictSame(gone.writes(), [])
  const { sync, writes } = await start(t, holding({ assignments: [], grants: [] }))
  for (const type of ['Scope', 'Role'] as const) {
    t.match(await faultOf(sync([access('Role', 1), access(type, 9)])), { fault: 'rejected', message: idOf(9), diagnostics: { reason: 'permission_absent' } })
  }
  await sync([], [access('Scope', 9), access('Role', 9)])
  t.strictSame(writes(), [])
})

t.test('a grant that came or went since the list was read is `conflicting`: the client is not missing', async t => {
  const came = await start(t, holding({
    write: (_request, answer) => reply(answer, 409, refusal('Request_MultipleObjectsWithSameKeyValue', 'Permission entry already exists.'))
  }))
  t.match(await faultOf(came.sync([access('Scope', 1)])), { fault: 'conflicting', outcomeUnknown: false, diagnostics: { reason: 'grant_exists' } })
  const went = await start(t, holding({
    grants: [grant('foreign')], write: (_request, answer) => reply(answer, 404, refusal('Request_ResourceNotFound', 'x'))
  }))
  t.match(await faultOf(went.sync([access('Scope', 1)])), { fault: 'conflicting', outcomeUnknown: false, diagnostics: { reason: 'grant_gone' } })
})

t.test('a failed write ends the call: nothing is repeated and nothing follows', async t => {
  for (const type of ['Scope', 'Role'] as const) {
    for (const [status, fault, outcomeUnknown] of [[504, 'unavailable', true], [404, 'missing', false], [400, 'rejected', false]] as const) {
      const { sync, writes } = await start(t, holding({ write: (_request, answer) => reply(answer, status, '') }))
      t.match(await faultOf(sync([access(type, 1), access(type, 2)], [access(type, 3)])), { fault, outcomeUnknown })
      t.equal(writes().length, 1)
    }
  }
})

t.test('an unreadable list changes nothing, and an id that does not belong into an address is not sent', async t => {
  for (const type of ['Scope', 'Role'] as const) {
    const unreadable = await start(t, (request, answer) => request.path.includes('appId=') ? holding({})(request, answer) : reply(answer, 200, '{"value":'))
    t.match(await faultOf(unreadable.sync([access(type, 1)])), { fault: 'unavailable', outcomeUnknown: false })
    t.strictSame(unreadable.writes(), [])
  }
  const hostile = await start(t, holding({ assignments: [{ ...assignment(1), id: '../../users' }], grants: [grant('s1', { id: 'x/y' })] }))
  t.match(await faultOf(hostile.sync([], [access('Role', 1)])), { fault: 'rejected' })
  t.match(await faultOf(hostile.sync([], [access('Scope', 1)])), { fault: 'rejected' })
  t.strictSame(hostile.writes(), [])
  const sent = hostile.entra.graphRequests.length
  t.match(await faultOf(hostile.sync([access('Role', 1)], [], '../users')), { fault: 'rejected' })
  t.equal(hostile.entra.graphRequests.length, sent)
})

t.test('nothing to grant and nothing to take back asks nothing', async t => {
  const { entra, sync } = await start(t, holding({}))
  await sync([], [{ resourceAppId, permissions: [] }])
  t.equal(entra.graphRequests.length, 0)
})
