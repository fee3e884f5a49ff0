import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { konnectApplication, startTestBroker, type Answer } from '../support/broker.ts'
import type { TestDatabase } from '../support/postgres.ts'

t.test('the strategy decides the token version; an unknown one is the default, with a warning', async t => {
  const first = await startTestBroker(t)
  await first.database.query(`
    INSERT INTO auth_strategy (id, provider_id, name, origin, konnect_auth_strategy_id, issuer, credential_claim, scopes, auth_methods, token_version)
    SELECT gen_random_uuid(), id, 'v2', 'database', 'konnect-v2', 'https://login.microsoftonline.com/x/v2.0', '{azp}', '{}', '{bearer}', 2 FROM provider`)
  // Strategies are read at start.
  const { konnect, simulator, logLines, database } = await startTestBroker(t, { database: first.database, simulator: first.simulator })
  const versionOf = async (strategyId: string | null) => {
    const { body } = await konnect('POST', '', konnectApplication({ client_name: `for ${strategyId}`, auth_strategy_id: strategyId }))
    const application = simulator.control.state().applications.find(each => (each as { appId: string }).appId === body.client_id)
    return (application as { api: { requestedAccessTokenVersion: number } }).api.requestedAccessTokenVersion
  }
  t.equal(await versionOf('konnect-v2'), 2)
  t.equal(await versionOf(null), 1)
  t.equal(logLines.filter(line => line.includes('Unknown Konnect auth strategy')).length, 0)
  t.equal(await versionOf('never heard of'), 1)
  t.equal(logLines.filter(line => line.includes('Unknown Konnect auth strategy')).length, 1)
  t.match((await database.query('SELECT count(*)::int FROM auth_strategy WHERE is_default')).rows, [{ count: 1 }], 'one default per provider')
})

t.test('a strategy or policy that is deleted while a request refers to it is a 503 that begins nothing, and the repeat is served without it', async t => {
  const { konnect, register, database, simulator } = await startTestBroker(t)
  const strategy = `INSERT INTO auth_strategy (id, provider_id, name, origin, konnect_auth_strategy_id, issuer, credential_claim, scopes, auth_methods, token_version)
    SELECT gen_random_uuid(), id, 'short-lived', 'database', 'short-lived', 'https://login.microsoftonline.com/x/v2.0', '{azp}', '{}', '{bearer}', 2 FROM provider`
  await database.query(strategy)
  const applications = () => simulator.control.state().applications as unknown as Array<{ appId: string, api?: { requestedAccessTokenVersion: number } }>
  await eventually('the strategy is known', async () => {
    const { body } = await konnect('POST', '', konnectApplication({ auth_strategy_id: 'short-lived', client_name: `${Math.random()}` }))
    return applications().find(({ appId }) => appId === body.client_id)?.api?.requestedAccessTokenVersion === 2
  })
  const before = applications().length
  // None refers to it any more.
  await database.query('UPDATE registration SET strategy_id = (SELECT id FROM auth_strategy WHERE is_default), policy_id = NULL')
  const create = () => konnect('POST', '', konnectApplication({ auth_strategy_id: 'short-lived' }))
  const document = { client_name: 'Within a policy', redirect_uris: ['https://orders.example.com/callback'] }
  const cases: Array<[send: () => Promise<Answer>, deletion: string]> = [
    [create, "DELETE FROM auth_strategy WHERE name = 'short-lived'"],
    [() => register(document), "DELETE FROM policy WHERE name = 'default'"]
  ]
  for (const [send, deletion] of cases) {
    await database.query('BEGIN')
    await database.query(deletion)
    const answer = send()
    await eventually('it waits for what becomes of the deletion', async () => await isWaiting(database))
    await database.query('COMMIT')
    t.match(await answer, { status: 503, body: { error: 'temporarily_unavailable' } })
    t.equal(applications().length, before, 'nothing is made')
  }
  await eventually('the default strategy is in its place', async () => (await create()).status === 201)
})

/** For this transaction, which sees the activity as it was at first, but the locks as they are. Other tests wait on this server, too. */
async function isWaiting (database: TestDatabase): Promise<boolean> {
  return ((await database.query('SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))')).rowCount ?? 0) > 0
}
