import { randomUUID } from 'node:crypto'
import t from 'tap'
import { konnectApplication, startTestBroker } from '../support/broker.ts'

t.test('a client of another provider or surface answers as one that does not exist, and nothing happens to it', async t => {
  const { konnect, database } = await startTestBroker(t)
  const { body: { client_id: elsewhere } } = await konnect('POST', '', konnectApplication({ client_name: 'elsewhere' }))
  const { body: { client_id: another } } = await konnect('POST', '', konnectApplication({ client_name: 'another surface' }))
  const providerId = randomUUID()
  await database.query(`INSERT INTO provider (id, name, origin, issuer, tenant_id, initial_client_id)
    SELECT $1, 'other', 'database', issuer, gen_random_uuid(), initial_client_id FROM provider`, [providerId])
  await database.query('UPDATE registration SET provider_id = $1 WHERE client_id = $2', [providerId, elsewhere])
  await database.query('UPDATE registration SET surface = \'register\' WHERE client_id = $1', [another])
  const snapshot = async () => (await database.query('SELECT id, state, metadata, desired_revision FROM registration ORDER BY id')).rows
  const before = await snapshot()

  for (const clientId of [elsewhere, another, randomUUID(), 'not-a-uuid', '..%2f..', '\')%20or%201%20eq%201']) {
    const calls: Array<[string, string, unknown?]> = [
      ['POST', '/new-secret'], ['GET', '/secrets'], ['POST', '/secrets'], ['DELETE', `/secrets/${randomUUID()}`],
      ['POST', '/event-hook', { event_type: 'update_application', application_name: 'taken over' }]
    ]
    for (const [method, path, body] of calls) {
      t.match(await konnect(method, `/${clientId}${path}`, body), { status: 404, body: { error: 'not_found' } }, `${method} ${clientId}${path}`)
    }
  }
  for (const clientId of [elsewhere, another, randomUUID()]) t.equal((await konnect('DELETE', `/${clientId}`)).status, 204, 'gone is gone')
  t.strictSame(await snapshot(), before)
})
