// dcr-broker installation: a copy of a database must never touch what the original has in Entra.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { konnectApplication, startTestBroker } from '../support/broker.ts'
import { ourApplications } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { operatorDatabase } from './operator-database.ts'
import { runHere } from './run-cli.ts'

t.test('a renewed copy leaves every application of the original alone, whatever was due, and registers under its own id', async t => {
  const original = await startTestBroker(t, { environment: { PURGE_AFTER_HOURS: '0', SWEEP_FIRST_LOOK_MS: '50' } })
  const kept = await original.konnect('POST', '', konnectApplication())
  const ended = await original.konnect('POST', '', konnectApplication({ client_name: 'Ended' }))
  await original.konnect('DELETE', `/${ended.body.client_id}`)
  const [former] = (await original.database.query<{ id: string }>('SELECT id FROM installation')).rows
  const copy = await copied(t, original.database.query)
  // As after a crash: the copy believes that it has to end a client which the original goes on to serve.
  await copy.query("UPDATE registration SET state = 'deleting', due_at = now() WHERE client_id = $1", [kept.body.client_id])

  await copy.query('INSERT INTO adoption_permit (id, provider_id, client_id, created_by) SELECT $1, provider_id, $1, \'cli\' FROM registration LIMIT 1', [randomUUID()])

  const renewed = await runHere(['installation', 'renew', '--yes', '--json'], { DATABASE_URL: copy.url })
  t.match(renewed, { code: 0, complaints: [] })
  const answer = JSON.parse(renewed.stdout) as Record<string, unknown>
  t.match(answer, { former_id: former?.id, released: 1 })
  t.not(answer.id, former?.id)

  const second = await startTestBroker(t, { database: copy, simulator: original.simulator, environment: { RESUME_SCAN_MS: '50', SWEEP_FIRST_LOOK_MS: '50' } })
  const made = await second.konnect('POST', '', konnectApplication({ client_name: 'Of the copy' }))
  t.equal(made.status, 201)
  await eventually('upkeep has nothing to do', async () => (await copy.query('SELECT FROM registration WHERE due_at <= now()')).rowCount === 0)
  const applications = ourApplications(original.simulator)
  t.ok(applications.some(({ appId }) => appId === kept.body.client_id))
  t.ok(applications.find(({ appId }) => appId === made.body.client_id)?.tags.includes(`dcr-inst:${String(answer.id)}`))
  t.equal((await second.konnect('POST', `/${kept.body.client_id}/new-secret`)).status, 404)
  t.equal((await copy.query('SELECT FROM adoption_permit')).rowCount, 0, 'what may be adopted is the original\'s to adopt')
  t.equal((await copy.query('SELECT FROM credential WHERE seal_ciphertext IS NOT NULL AND state = \'lost\'')).rowCount, 0)
})

t.test('a database on which a broker runs is not renewed', async t => {
  const { cli, query, json } = await operatorDatabase(t)
  const before = await json('installation', 'show')
  await query("INSERT INTO replica (id, version, kids, active_kid) VALUES ($1, '1', '{k1}', 'k1')", [randomUUID()])
  t.match(await cli('installation', 'renew', '--yes'), { code: 1, stdout: '', complaints: [/1 brokers run on this database/] })
  t.strictSame(await json('installation', 'show'), before)
  t.match(await cli('installation', 'renew'), { code: 2, complaints: [/--yes is missing/] })
})

/** As pg_dump and pg_restore would: the rows of every table, without what the original does to them later. */
async function copied (t: Parameters<typeof createTestDatabase>[0], query: Awaited<ReturnType<typeof createTestDatabase>>['query']) {
  const copy = await createTestDatabase(t)
  const tables = ['installation', 'provider', 'policy', 'auth_strategy', 'caller', 'registration', 'credential', 'registration_event', 'audit_event']
  for (const table of tables) {
    const { rows } = await query<{ all: string }>(`SELECT coalesce(json_agg(r), '[]')::text AS "all" FROM ${table} r`)
    await copy.query(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1::json)`, [rows[0]?.all])
  }
  return copy
}
