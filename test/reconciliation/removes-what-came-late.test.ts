// Late creates of ended rows go; strangers go only when an operator says so; strays go when they are old enough.
import t from 'tap'
import { ourObjectCount } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { forgetLongAgo, startReconciling, type Reconciling } from './reconciling.ts'

t.jobs = 2

const SWEPT_SOON = { SWEEP_FIRST_LOOK_MS: '50', SWEEP_SECOND_LOOK_MS: '100', PURGE_AFTER_HOURS: '0' }

/** The create of an ended registration that was stuck until its sweeps were over. */
async function lateCreate ({ konnect, portal, installationId, database, newClient }: Reconciling): Promise<{ id: string, objectId: string }> {
  const { id, clientId } = await newClient()
  await konnect('DELETE', `/${clientId}`)
  await eventually('its sweeps are over', async () => (await database.query('SELECT FROM registration WHERE id = $1 AND sweeps = 2 AND purge_at IS NULL', [id])).rowCount === 1)
  const tags = ['dcr-broker', `dcr-inst:${installationId}`, `dcr-reg:${id}`]
  const { body } = await portal('PATCH', `/applications(uniqueName='dcr-${id}')`, { displayName: 'Late', tags }, { prefer: 'create-if-missing' })
  return { id, objectId: body.id }
}

t.test('an application of an ended registration whose sweeps are over is removed and purged', async t => {
  const broker = await startReconciling(t, { environment: SWEPT_SOON })
  const { run, simulator, auditOf } = broker
  const late = await lateCreate(broker)
  t.equal(ourObjectCount(simulator), 1)
  t.match(await run({ dry_run: true }), { dry_run: { findings: [{ kind: 'late_create', registration_id: late.id, verdict: 'removed' }] } })
  t.equal(ourObjectCount(simulator), 1, 'a dry run changes nothing')
  t.match(await run(), { on_hold: false, counts: { late: 1, removed: 1 }, findings: [] })
  t.equal(ourObjectCount(simulator), 0)
  t.match(await auditOf('registration.swept'), [{ registration_id: late.id, actor: 'broker' }])
})

t.test('one that is young waits', async t => {
  const broker = await startReconciling(t, { environment: { ...SWEPT_SOON, RECONCILE_MIN_AGE_MS: '3600000' } })
  await lateCreate(broker)
  t.match(await broker.run(), { counts: { late: 0, removed: 0 } })
  t.equal(ourObjectCount(broker.simulator), 1)
})

t.test('one that Entra refuses to delete stays a finding, and the run goes on to its end', async t => {
  const broker = await startReconciling(t, { environment: SWEPT_SOON })
  const late = await lateCreate(broker)
  broker.simulator.control.faults.add({
    match: { method: 'DELETE', path: '/applications/' }, action: { type: 'status', status: 403, body: { error: { code: 'Authorization_RequestDenied', message: 'No.' } } }
  })
  t.match(await broker.run(), { fault: null, counts: { late: 1, removed: 0 }, findings: [{ kind: 'late_create', registration_id: late.id }] })
  t.match(await broker.run(), { counts: { removed: 1 }, findings: [] })
})

t.test('an application without a registration is reported, and purged by an operator alone, after two looks', async t => {
  const broker = await startReconciling(t)
  const { run, operator, simulator, auditOf } = broker
  const lost = await forgetLongAgo(broker)
  t.match(await run(), { on_hold: false, counts: { unknown: 1 }, findings: [{ kind: 'unknown_application', client_id: lost.clientId, registration_id: lost.id, looks: 1 }] })
  const early = await operator('POST', `/reconciliation/applications/${lost.clientId}/purge`, {})
  t.match([early.status, early.body.detail], [409, /once only/])
  for (let looks = 0; looks < 3; looks++) await run()
  t.equal(ourObjectCount(simulator), 4, 'never by itself')
  t.equal((await operator('POST', `/reconciliation/applications/${lost.clientId}/purge`, {})).status, 204)
  t.equal(ourObjectCount(simulator), 2, 'application and principal are gone for good')
  t.match(await auditOf('reconciliation.purged'), [{ detail: { client_id: lost.clientId, object_id: lost.objectId } }])
  t.equal((await operator('POST', `/reconciliation/applications/${lost.clientId}/purge`, {})).status, 404)
  t.match(await run(), { counts: { unknown: 0, applications: 1 }, findings: [] })
})

t.test('a young stray password is kept, one of age goes, and the client\'s own stays', async t => {
  for (const [minAge, strays] of [['3600000', 0], ['0', 1]] as const) {
    const { newClient, portal, run, database } = await startReconciling(t, { environment: { RECONCILE_MIN_AGE_MS: minAge } })
    const { id, objectId } = await newClient()
    const { rows: [credential] } = await database.query<{ id: string }>('SELECT id FROM credential')
    await portal('POST', `/applications/${objectId}/addPassword`, { passwordCredential: { displayName: `dcr:${id}:${credential?.id}` } })
    t.match(await run(), { counts: { strays, strays_removed: strays }, findings: [] })
    t.equal((await portal('GET', `/applications/${objectId}`)).body.passwordCredentials.length, 2 - strays)
  }
})
