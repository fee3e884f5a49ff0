// What is not ours to judge (F28): other installations, copied tags, the young, and what Entra's lag hides.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { konnectApplication, request, SECOND_KONNECT_KEY } from '../support/broker.ts'
import { secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { forgetLongAgo, startReconciling, type Reconciling } from './reconciling.ts'

t.jobs = 2

const isHere = ({ simulator }: Reconciling, objectId: string) =>
  (simulator.control.state().applications as Array<{ id: string }>).some(({ id }) => id === objectId)

t.test('applications of another installation, and copied tags, are counted apart and refused to everybody', async t => {
  const broker = await startReconciling(t)
  const { newClient, portal, run, operator, installationId, simulator, auditOf } = broker
  await newClient()
  const id = randomUUID()
  const make = async (uniqueName: string | null, tags: string[]) => (await portal('POST', '/applications', { displayName: 'Other', tags, ...(uniqueName === null ? {} : { uniqueName }) })).body
  const ofOther = await make(`dcr-${id}`, ['dcr-broker', 'dcr-inst:other', `dcr-reg:${id}`])
  // Whoever may change an application may write our tags on it.
  const disguised = await make(null, ['dcr-broker', `dcr-inst:${installationId}`, `dcr-reg:${randomUUID()}`])
  const bare = await make(null, ['dcr-broker'])
  const before = simulator.control.state()
  await run()
  const report = await run()
  t.match(report, { on_hold: false, findings: [], counts: { applications: 4, unknown: 0 } })
  t.same(new Map(report.other_installations.map((each: any) => [each.installation, each.applications])), new Map([['other', 1], [null, 2]]))
  for (const { appId } of [ofOther, disguised, bare]) {
    t.equal((await operator('POST', `/reconciliation/applications/${appId}/purge`, {})).status, 404)
    t.equal((await operator('POST', `/reconciliation/applications/${appId}/adopt`, {})).status, 404)
  }
  t.strictSame(simulator.control.state(), before)
  t.same(await auditOf('reconciliation.purged'), [])
})

t.test('an application that lost its tags after it was found is not purged', async t => {
  const broker = await startReconciling(t)
  const { portal, run, operator } = broker
  const lost = await forgetLongAgo(broker)
  await run()
  await run()
  await portal('PATCH', `/applications/${lost.objectId}`, { tags: ['dcr-broker', 'dcr-inst:other', `dcr-reg:${lost.id}`] })
  const { status, body } = await operator('POST', `/reconciliation/applications/${lost.clientId}/purge`, {})
  t.match([status, body.detail], [409, /does not carry this installation/])
  t.ok(isHere(broker, lost.objectId))
})

t.test('a young application without a registration is not judged', async t => {
  const broker = await startReconciling(t, { environment: { RECONCILE_MIN_AGE_MS: '3600000' } })
  const { run, operator } = broker
  const young = await forgetLongAgo(broker)
  for (let looks = 0; looks < 2; looks++) t.match(await run(), { counts: { unknown: 0 }, findings: [] })
  t.equal((await operator('POST', `/reconciliation/applications/${young.clientId}/purge`, {})).status, 404)
  t.ok(isHere(broker, young.objectId))
})

t.test('a client that the list does not show yet is not gone, and one just made is no stranger', async t => {
  const broker = await startReconciling(t)
  const { newClient, run, stateOf, simulator } = broker
  simulator.control.lag({ listDelayMs: 3_600_000 })
  const hidden = await newClient()
  for (let looks = 0; looks < 2; looks++) t.match(await run(), { counts: { applications: 0, missing: 0, drifted: 0 }, findings: [] })
  t.equal(await stateOf(hidden.id), 'active')
  simulator.control.lag({ listDelayMs: 0 })
  t.match(await run(), { on_hold: false, counts: { applications: 1, unknown: 0 }, findings: [] })
  t.ok(await secretWorks(simulator, hidden.clientId, hidden.secret))
})

t.test('runs among running creates find nothing', async t => {
  const broker = await startReconciling(t)
  const { newClient, run } = broker
  const creates = Promise.all(Array.from({ length: 12 }, async (_, number) => await newClient({ client_name: `Client ${number}` })))
  for (let looks = 0; looks < 3; looks++) t.match(await run(), { on_hold: false, findings: [], fault: null, counts: { unknown: 0, missing: 0 } })
  await creates
  t.match(await run(), { counts: { applications: 12 }, findings: [] })
})

t.test('what is found about a client is the business of its own provider, also where two share a tenant', async t => {
  const broker = await startReconciling(t)
  const { url, operator, portal, run, simulator, database, auditOf } = broker
  const { body: second } = await operator('POST', '/dcr-providers', {
    provider_type: 'azureAd',
    name: 'second',
    issuer: `${simulator.url}/${simulator.tenantId}/v2.0`,
    dcr_config: { initial_client_id: simulator.broker.clientId, initial_client_secret: simulator.broker.clientSecret }
  })
  await database.query("UPDATE caller SET provider_id = $1 WHERE name = 'KONNECT_API_KEYS[1]'", [second.id])
  await operator('PATCH', `/dcr-providers/${second.id}`, {})
  const { body: client } = await eventually('the key is of the second provider', async () => {
    const answer = await request(`${url}/konnect`, 'POST', konnectApplication(), { 'x-api-key': SECOND_KONNECT_KEY })
    const { rows } = await database.query('SELECT FROM registration WHERE client_id = $1 AND provider_id = $2', [answer.body.client_id, second.id])
    return rows.length === 1 ? answer : null
  })
  const { rows: [row] } = await database.query<{ id: string, object_id: string, credential: string }>(
    'SELECT r.id, r.object_id, k.id AS credential FROM registration r JOIN credential k ON k.registration_id = r.id WHERE r.client_id = $1', [client.client_id])
  await portal('POST', `/applications/${row?.object_id}/addPassword`, { passwordCredential: { displayName: `dcr:${row?.id}:${row?.credential}` } })
  t.match(await run({ dry_run: true }), { dry_run: { findings: [] } })
  await operator('POST', '/reconciliation/run', { provider: 'default' })
  t.match(await broker.report(), { counts: { strays: 0 }, findings: [] })
  await operator('POST', '/reconciliation/run', { provider: 'second' })
  await eventually('its own provider has removed it', async () => (await auditOf('credential.stray_removed')).length === 1)
})
