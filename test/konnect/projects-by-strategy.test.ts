import t from 'tap'
import { konnectApplication, startTestBroker } from '../support/broker.ts'

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
