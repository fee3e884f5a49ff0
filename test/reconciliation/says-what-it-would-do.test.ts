// A dry run changes nothing, neither in Entra nor in the rows, and says what a run would do with each finding.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { forgetLongAgo, startReconciling } from './reconciling.ts'

t.test('a dry run says of every finding what would become of it, and changes nothing', async t => {
  const broker = await startReconciling(t, { environment: { NEVER_LINKED_DAYS: '7' } })
  const { newClient, portal, run, operator, simulator, database } = broker
  const lost = await forgetLongAgo(broker)
  const [gone, client, idle, linked] = [await newClient(), await newClient(), await newClient({ portal_id: 'test portal_id' }), await newClient()]
  await portal('DELETE', `/applications/${gone.objectId}`)
  const { rows: [credential] } = await database.query<{ id: string }>('SELECT id FROM credential WHERE registration_id = $1', [client.id])
  for (const id of [credential?.id, randomUUID()]) {
    await portal('POST', `/applications/${client.objectId}/addPassword`, { passwordCredential: { displayName: `dcr:${client.id}:${id}` } })
  }
  await broker.konnect('POST', `/${linked.clientId}/event-hook`, { event_type: 'add_registration', api_id: 'x' })
  await database.query("UPDATE registration SET activated_at = now() - interval '30 days' WHERE id = ANY($1)", [[idle.id, client.id]])
  const state = async () => ({
    entra: simulator.control.state(),
    rows: (await database.query('SELECT * FROM registration ORDER BY id')).rows,
    audit: (await database.query('SELECT count(*)::int FROM audit_event')).rows,
    findings: (await database.query('SELECT * FROM reconciliation_finding ORDER BY id')).rows
  })
  const verdicts = (report: any) => new Map(report.dry_run.findings.map((finding: any) => [`${finding.kind} ${finding.client_id}`, finding.verdict]))
  await eventually('the answers are marked', async () => (await database.query("SELECT FROM registration WHERE delivery = 'pending' AND state = 'active'")).rowCount === 0)
  const before = await state()
  const first = await run({ dry_run: true })
  t.strictSame(await state(), before)
  t.match(first, { started_at: null, finished_at: null, on_hold: false, findings: [] }, 'it counts for no run')
  t.match(first.dry_run, {
    would_hold: false, counts: { applications: 5, unknown: 1, missing: 1, strays: 1, unknown_strays: 1, reaped: 1, disabled: 1, removed: 0, drifted: 0 }
  })
  t.same(verdicts(first), new Map([
    [`unknown_application ${lost.clientId}`, 'waits'],
    [`application_missing ${gone.clientId}`, 'waits'],
    [`stray_password ${client.clientId}`, 'removed'],
    [`unknown_password ${client.clientId}`, 'reported']
  ]))

  await run()
  await eventually('nothing is left to do', async () =>
    (await database.query("SELECT FROM registration WHERE due_at < now() + interval '1 minute' OR lease_until > now()")).rowCount === 0)
  const between = await state()
  const second = await run({ dry_run: true })
  t.strictSame(await state(), between)
  t.same(verdicts(second), new Map([
    [`unknown_application ${lost.clientId}`, 'reported'],
    [`application_missing ${gone.clientId}`, 'drifted'],
    [`unknown_password ${client.clientId}`, 'reported']
  ]), 'the look of the run before counts')
  t.match(await run(), { counts: { drifted: 1 } }, 'and so it is')

  const body = { error: { code: 'Authorization_RequestDenied', message: 'No.' } }
  simulator.control.faults.add({ match: { method: 'GET', path: '^/v1.0/applications$', times: 'always' }, action: { type: 'status', status: 403, body } })
  const failed = (await operator('POST', '/reconciliation/run', { dry_run: true })).body.data[0]
  t.match(failed, { fault: 'denied', running: false })
  t.notOk('dry_run' in failed, 'an older answer is no answer')
})
