// What somebody does in the portal (F26): deleted and purged applications drift after two looks; a deleted secret, another name and lost tags change nothing.
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { startReconciling } from './reconciling.ts'

t.jobs = 2

t.test('an application that was deleted in the portal is drifted after the second look, not before', async t => {
  const { newClient, portal, run, stateOf, auditOf, konnect } = await startReconciling(t)
  const kept = await newClient({ client_name: 'Kept' })
  const gone = await newClient({ client_name: 'Gone' })
  t.equal((await portal('DELETE', `/applications/${gone.objectId}`)).status, 204)
  const first = await run()
  t.match(first, { fault: null, on_hold: false, counts: { applications: 1, missing: 1, drifted: 0 } })
  t.match(first.findings, [{ kind: 'application_missing', client_id: gone.clientId, registration_id: gone.id, looks: 1, appeared_at: null }])
  t.equal(await stateOf(gone.id), 'active')
  const second = await run()
  t.match(second, { counts: { missing: 1, drifted: 1 }, findings: [], findings_total: 0 })
  t.equal(await stateOf(gone.id), 'drifted')
  t.match(await auditOf('registration.drifted'), [{ actor: 'broker', registration_id: gone.id, detail: { client_id: gone.clientId } }])
  t.equal((await konnect('POST', `/${gone.clientId}/new-secret`)).status, 409)
  t.equal((await konnect('DELETE', `/${gone.clientId}`)).status, 204, 'deleting it is success')
  t.equal(await stateOf(kept.id), 'active')
})

t.test('one that was purged, too', async t => {
  const { newClient, portal, run, stateOf } = await startReconciling(t)
  const gone = await newClient()
  await portal('DELETE', `/applications/${gone.objectId}`)
  await portal('DELETE', `/directory/deletedItems/${gone.objectId}`)
  await run()
  t.match(await run(), { counts: { drifted: 1 } })
  t.equal(await stateOf(gone.id), 'drifted')
})

t.test('two looks must lie apart: two runs at once are one', async t => {
  const { newClient, portal, run, stateOf, database } = await startReconciling(t, { environment: { RECONCILE_SECOND_LOOK_MS: '600000' } })
  const gone = await newClient()
  await portal('DELETE', `/applications/${gone.objectId}`)
  await run()
  t.match(await run(), { counts: { missing: 1, drifted: 0 }, findings: [{ looks: 2 }] })
  t.equal(await stateOf(gone.id), 'active')
  await database.query("UPDATE reconciliation_finding SET first_seen_at = now() - interval '601 seconds'")
  t.match(await run(), { counts: { drifted: 1 } })
})

t.test('what is restored before the second look was never gone', async t => {
  const { newClient, portal, run, stateOf } = await startReconciling(t)
  const client = await newClient()
  await portal('DELETE', `/applications/${client.objectId}`)
  await run()
  await portal('POST', `/directory/deletedItems/${client.objectId}/restore`)
  t.match(await run(), { counts: { missing: 0, drifted: 0 }, findings: [] })
  await portal('DELETE', `/applications/${client.objectId}`)
  t.match(await run(), { counts: { missing: 1, drifted: 0 }, findings: [{ looks: 1 }] }, 'the looks begin anew')
  t.equal(await stateOf(client.id), 'active')
})

t.test('an application that was renamed, lost its tags, or lost its secret is still the same application', async t => {
  const { newClient, portal, run, stateOf, konnect, simulator } = await startReconciling(t)
  const [renamed, untagged, bare] = [await newClient(), await newClient(), await newClient()]
  t.equal((await portal('PATCH', `/applications/${renamed.objectId}`, { displayName: 'Another name' })).status, 204)
  t.equal((await portal('PATCH', `/applications/${untagged.objectId}`, { tags: ['mine'] })).status, 204)
  const { body: { passwordCredentials: [password] } } = await portal('GET', `/applications/${bare.objectId}`)
  t.equal((await portal('POST', `/applications/${bare.objectId}/removePassword`, { keyId: password.keyId })).status, 204)
  const before = simulator.control.state()
  for (let looks = 0; looks < 3; looks++) t.match(await run(), { counts: { applications: 2, missing: 0, drifted: 0, unknown: 0 }, findings: [] })
  for (const { id } of [renamed, untagged, bare]) t.equal(await stateOf(id), 'active')
  t.strictSame(simulator.control.state(), before, 'nothing was changed in Entra')
  t.equal((await konnect('POST', `/${bare.clientId}/new-secret`)).status, 200, 'the client without a secret gets a new one')
})

t.test('an adopted application, which has no name of ours, is looked for by its appId', async t => {
  const { simulator, operator, konnect, portal, run, database } = await startReconciling(t, {
    simulator: { brokerRoles: ['Application.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All'] }
  })
  const [there, gone] = [simulator.control.addClient('There'), simulator.control.addClient('Gone')]
  await operator('PATCH', '/adoptions/providers/default', { enabled: true })
  for (const { clientId } of [there, gone]) {
    await operator('POST', '/adoptions', { client_id: clientId })
    t.equal((await konnect('GET', `/${clientId}/secrets`)).status, 200)
  }
  t.match(await run(), { counts: { missing: 0 } })
  const { body: { value: [application] } } = await portal('GET', `/applications?$filter=appId eq '${gone.clientId}'`)
  t.equal((await portal('DELETE', `/applications/${application.id}`)).status, 204)
  t.match(await run(), { counts: { missing: 1, drifted: 0 } })
  t.match(await run(), { counts: { missing: 1, drifted: 1 } })
  const { rows } = await database.query('SELECT client_id, state FROM registration')
  t.same(new Map(rows.map(row => [row.client_id, row.state])), new Map([[there.clientId, 'active'], [gone.clientId, 'drifted']]))
})

t.test('a list that Entra does not give to the end makes nobody drift', async t => {
  const { newClient, run, stateOf, simulator, logLines } = await startReconciling(t, { environment: { REQUEST_DEADLINE_MS: '4000', LEASE_MS: '6500', ATTEMPT_TIMEOUT_MS: '1000' } })
  const client = await newClient()
  const id = simulator.control.faults.add({ match: { method: 'GET', path: '^/v1.0/applications$', times: 'always' }, action: { type: 'html', status: 502 } })
  for (let looks = 0; looks < 2; looks++) t.match(await run(), { fault: 'unavailable', finished_at: null, findings: [] })
  t.equal(await stateOf(client.id), 'active')
  t.ok(logLines.some(line => line.includes('A reconciliation stopped before its end')))
  simulator.control.faults.clear(id)
  t.match(await run(), { fault: null, counts: { applications: 1, missing: 0 } })
})

t.test('by itself it looks every interval', async t => {
  const { newClient, portal, stateOf } = await startReconciling(t, { environment: { RECONCILE_INTERVAL_MS: '200' } })
  const gone = await newClient()
  await portal('DELETE', `/applications/${gone.objectId}`)
  await eventually('it is drifted', async () => await stateOf(gone.id) === 'drifted')
})
