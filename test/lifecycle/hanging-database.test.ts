// The database does not answer at the worst moments: the caller's answer is in time, and no secret is lost.
import t from 'tap'
import { konnectApplication, startTestBroker } from '../support/broker.ts'
import { secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { startPostgresProxy } from '../support/postgres-proxy.ts'
import { createTestDatabase } from '../support/postgres.ts'

t.jobs = 3

const DEADLINE_MS = 8_000
/** For a machine that is busy with other things. */
const SLACK_MS = 4_000

for (const side of ['before', 'after'] as const) {
  t.test(`a rotation whose commit hangs ${side} it was applied leaves the caller a working secret`, async t => {
    const database = await createTestDatabase(t)
    const proxy = await startPostgresProxy(t, database.url)
    const { konnect, simulator } = await startTestBroker(t, { database: { ...database, url: proxy.url } })
    const { body: { client_id: clientId, client_secret: secret } } = await konnect('POST', '', konnectApplication())
    const commit = { statement: /WITH held AS/, parameters: /revoking/, side }
    const held = [proxy.hold(commit), proxy.hold(commit)]
    const startedAt = performance.now()
    const answer = await konnect('POST', `/${clientId}/new-secret`)
    t.ok(performance.now() - startedAt < DEADLINE_MS + SLACK_MS, 'answered in time')
    t.equal(answer.status, 503)
    await held[0]
    await eventually('nothing of the rotation is left', async () => {
      const { rows } = await database.query<{ state: string }>('SELECT state FROM credential ORDER BY created_at')
      return rows.length === 2 && rows[0]?.state === 'active' && rows[1]?.state === 'lost'
    }, 40_000)
    t.ok(await secretWorks(simulator, clientId, secret))
  })
}

t.test('a rotation that is committed is answered, even if the removal of the older secret hangs', async t => {
  const database = await createTestDatabase(t)
  const proxy = await startPostgresProxy(t, database.url)
  const { konnect, simulator } = await startTestBroker(t, { database: { ...database, url: proxy.url } })
  const { body: { client_id: clientId } } = await konnect('POST', '', konnectApplication())
  const removal = { statement: /WITH held AS/, parameters: /credential\.revoked/, side: 'before' as const }
  for (let times = 0; times < 3; times++) proxy.hold(removal).catch(() => {})
  const startedAt = performance.now()
  const answer = await konnect('POST', `/${clientId}/new-secret`)
  t.ok(performance.now() - startedAt < DEADLINE_MS + SLACK_MS, 'answered in time')
  t.equal(answer.status, 200)
  t.ok(await secretWorks(simulator, clientId, answer.body.client_secret))
})

t.test('a create whose activation hangs is answered in time, and its repeat gets the client', async t => {
  const database = await createTestDatabase(t)
  const proxy = await startPostgresProxy(t, database.url)
  const { konnect, simulator } = await startTestBroker(t, { database: { ...database, url: proxy.url } })
  const commit = { statement: /WITH held AS/, parameters: /secretIssued|"state":\s*"active"/, side: 'before' as const }
  for (let times = 0; times < 3; times++) proxy.hold(commit).catch(() => {})
  const startedAt = performance.now()
  t.equal((await konnect('POST', '', konnectApplication())).status, 503)
  t.ok(performance.now() - startedAt < DEADLINE_MS + SLACK_MS, 'answered in time')
  const repeat = await eventually('the repeat is answered', async () => {
    const answer = await konnect('POST', '', konnectApplication())
    return answer.status === 201 ? answer.body : null
  }, 60_000)
  t.ok(await secretWorks(simulator, repeat.client_id, repeat.client_secret))
  t.equal((await database.query('SELECT 1 FROM registration WHERE state = \'active\'')).rowCount, 1)
})
