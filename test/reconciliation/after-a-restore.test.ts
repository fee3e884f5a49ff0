// A database that was restored from a backup (F33): hold first, report, and nothing is removed before an operator says so.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { KONNECT_KEY, request } from '../support/broker.ts'
import { secretWorks, type EntraApplication } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { forget, startReconciling, type Client, type Reconciling } from './reconciling.ts'

t.jobs = 2

async function addPassword ({ portal }: Reconciling, { objectId }: Client, displayName: string): Promise<{ keyId: string, secretText: string }> {
  return (await portal('POST', `/applications/${objectId}/addPassword`, { passwordCredential: { displayName } })).body
}

const applicationsOf = ({ simulator }: Pick<Reconciling, 'simulator'>) => simulator.control.state().applications as EntraApplication[]

const keyIdsOf = (broker: Reconciling, { objectId }: Client) =>
  applicationsOf(broker).find(({ id }) => id === objectId)?.passwordCredentials.map(({ keyId }) => keyId) ?? []

t.test('an application newer than the database puts everything on hold, whatever was registered since the restore', async t => {
  const broker = await startReconciling(t)
  const { newClient, run, report, operator, portal, auditOf, database, operationsUrl, logLines } = broker
  const old = await newClient({ client_name: 'Old' })
  await run()
  const lost = await newClient({ client_name: 'Lost' })
  const { rows: [credential] } = await database.query<{ id: string }>('SELECT id FROM credential WHERE registration_id = $1', [old.id])
  const stray = await addPassword(broker, old, `dcr:${old.id}:${credential?.id}`)
  await forget(broker, lost.id)
  // The restored broker serves at once: the newest row is newer than what was lost.
  await newClient({ client_name: 'New' })
  const deleted = await newClient({ client_name: 'Deleted since the backup' })
  await portal('DELETE', `/applications/${deleted.objectId}`)
  const first = await run()
  t.match(first, { on_hold: true, held_for: lost.clientId, counts: { unknown: 1, missing: 1, strays: 1, removed: 0, drifted: 0, strays_removed: 0 } })
  await run()
  const held = await report()
  t.match(held, { on_hold: true, counts: { drifted: 0, strays_removed: 0 } })
  t.same(held.findings.map(({ kind }: any) => kind).sort(), ['application_missing', 'stray_password', 'unknown_application'])
  t.ok(keyIdsOf(broker, old).includes(stray.keyId), 'the stray password is there')
  t.equal(await broker.stateOf(deleted.id), 'active')
  t.match(await auditOf('reconciliation.held'), [{ actor: 'broker', detail: { client_id: lost.clientId } }])
  t.ok(logLines.some(line => line.includes('On hold')))
  t.match((await request(`${operationsUrl}/metrics`, 'GET')).body, /dcr_reconciliation_on_hold\{provider="default"\} 1/)
  const refused = await operator('POST', `/reconciliation/applications/${lost.clientId}/purge`, {})
  t.match([refused.status, refused.body.detail], [409, /on hold/])

  await t.test('adopting brings the client back with its secret, under its old id', async t => {
    const { rows: [konnect] } = await database.query<{ id: string }>("SELECT id FROM caller WHERE kind = 'konnect' LIMIT 1")
    const { status, body } = await operator('POST', `/reconciliation/applications/${lost.clientId}/adopt`, { caller_id: konnect?.id })
    t.match([status, body], [201, { id: lost.id }])
    const { body: shown } = await operator('GET', `/registrations/${lost.id}`)
    t.match(shown, { state: 'active', surface: 'konnect', client_id: lost.clientId, client_name: 'Lost', redirect_uris: ['https://orders.example.com/callback'] })
    t.match(await auditOf('reconciliation.adopted'), [{ registration_id: lost.id }])
    t.equal((await operator('POST', `/reconciliation/applications/${lost.clientId}/adopt`, {})).status, 404, 'once')
    t.ok(await secretWorks(broker.simulator, lost.clientId, lost.secret))
    const { body: { secrets } } = await broker.konnect('GET', `/${lost.clientId}/secrets`)
    t.equal(secrets.length, 1, 'Konnect sees its secret')
  })

  await t.test('after the release the next run removes and drifts', async t => {
    t.strictSame((await operator('POST', '/reconciliation/release', {})).body, { released: ['default'] })
    t.strictSame((await operator('POST', '/reconciliation/release', {})).body, { released: [] })
    t.match(await run(), { on_hold: false, counts: { unknown: 0, drifted: 1, strays_removed: 1 } })
    t.notOk(keyIdsOf(broker, old).includes(stray.keyId))
    t.ok(await secretWorks(broker.simulator, old.clientId, old.secret))
    t.ok(await secretWorks(broker.simulator, lost.clientId, lost.secret), 'the secret of the adopted client is no stray')
    t.match(await auditOf('reconciliation.released'), [{}])
    const rotated = await request(`${broker.url}/konnect/${lost.clientId}/new-secret`, 'POST', undefined, { 'x-api-key': KONNECT_KEY })
    t.equal(rotated.status, 200)
    await eventually('the old secret ends', async () => !await secretWorks(broker.simulator, lost.clientId, lost.secret))
  })
})

t.test('without a finished run the newest row decides; what was known at the release holds nothing again', async t => {
  const broker = await startReconciling(t)
  const { newClient, run, operator } = broker
  await newClient()
  const lost = await newClient()
  await forget(broker, lost.id)
  t.match(await run({ dry_run: true }), { on_hold: false, dry_run: { would_hold: true } }, 'a dry run says so, and does not hold')
  t.match(await run(), { on_hold: true, held_for: lost.clientId })
  await operator('POST', '/reconciliation/release', { provider: 'default' })
  t.match(await run(), { on_hold: false, counts: { unknown: 1 }, findings: [{ kind: 'unknown_application', client_id: lost.clientId }] })
  t.match(await run(), { on_hold: false })
})

t.test('on hold the sweep of ended registrations waits', async t => {
  const broker = await startReconciling(t, { environment: { SWEEP_FIRST_LOOK_MS: '1000', SWEEP_SECOND_LOOK_MS: '2000', PURGE_AFTER_HOURS: '0' } })
  const { newClient, run, operator, portal, database, installationId, konnect, simulator } = broker
  const client = await newClient()
  const lost = await newClient()
  await forget(broker, lost.id)
  t.match(await run(), { on_hold: true })
  t.equal((await konnect('DELETE', `/${client.clientId}`)).status, 204)
  await eventually('it is purged', async () => (await database.query('SELECT FROM registration WHERE purge_at IS NULL AND state = $1', ['deleted'])).rowCount === 1)
  const tags = ['dcr-broker', `dcr-inst:${installationId}`, `dcr-reg:${client.id}`]
  const { status, body: late } = await portal('PATCH', `/applications(uniqueName='dcr-${client.id}')`, { displayName: 'Late', tags }, { prefer: 'create-if-missing' })
  t.equal(status, 201)
  const sweeps = async () => (await database.query('SELECT sweeps, due_at > now() + interval \'1 minute\' AS waits FROM registration WHERE id = $1', [client.id])).rows[0]
  await eventually('the sweep has been put off', async () => (await sweeps())?.waits)
  t.equal((await sweeps())?.sweeps, 0)
  t.ok(applicationsOf({ simulator }).some(({ id }) => id === late.id))
  await operator('POST', '/reconciliation/release', {})
  await database.query('UPDATE registration SET due_at = now() WHERE id = $1', [client.id])
  await eventually('it is swept', () => !applicationsOf({ simulator }).some(({ id }) => id === late.id))
})

t.test('a secret that was made after the backup is reported and never removed, not even beside strays', async t => {
  const broker = await startReconciling(t)
  const { newClient, run, database } = broker
  const client = await newClient()
  const rotated = await addPassword(broker, client, `dcr:${client.id}:${randomUUID()}`)
  const { rows: [credential] } = await database.query<{ id: string }>('SELECT id FROM credential')
  const stray = await addPassword(broker, client, `dcr:${client.id}:${credential?.id}`)
  const byHand = await addPassword(broker, client, 'by hand')
  t.match(await run(), { counts: { strays: 1, unknown_strays: 1, strays_removed: 1 }, findings: [{ kind: 'unknown_password', count: 1 }] })
  const left = keyIdsOf(broker, client)
  t.same([rotated, byHand, stray].map(({ keyId }) => left.includes(keyId)), [true, true, false])
  // The check for strays that follows ten minutes later keeps it, too.
  await eventually('the check is due', async () =>
    (await database.query('UPDATE registration SET stray_check_at = now(), due_at = now() WHERE stray_check_at IS NOT NULL')).rowCount === 1)
  await eventually('the check was made', async () => (await database.query('SELECT FROM registration WHERE due_at IS NULL')).rowCount === 1)
  t.ok(keyIdsOf(broker, client).includes(rotated.keyId))
  t.ok(await secretWorks(broker.simulator, client.clientId, client.secret))
})
