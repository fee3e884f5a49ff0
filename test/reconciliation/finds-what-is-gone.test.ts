// What somebody does in the portal (F26): deleted and purged applications drift after two looks, a deleted secret and another name change nothing.
import t from 'tap'
import { startReconciling } from './reconciling.ts'

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
  t.equal(await stateOf(kept.id), 'active')
  t.match(await run(), { counts: { missing: 0, drifted: 0 } })
})
