// Idempotency keys while the database hangs: answers leave within the deadline, and a change that overtakes one before it is kept makes it void.
import t from 'tap'
import { OPERATOR_KEY, request, startTestBroker } from '../support/broker.ts'
import { ourApplications } from '../support/entra-truth.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { startPostgresProxy } from '../support/postgres-proxy.ts'
import { isOAuthFailure } from '../register/failure.ts'
import { webClient } from '../register/prepared-broker.ts'
import { recordOf, registrationIdOf } from './records.ts'
import { BRISK, KEEP, keyed } from './replicas.ts'

t.test('an answer that could not be kept in time is given all the same, and a change that comes before it is kept makes it void', async t => {
  const survivor = await startTestBroker(t, { environment: BRISK })
  const proxy = await startPostgresProxy(t, survivor.database.url)
  const cut = await startTestBroker(t, {
    simulator: survivor.simulator,
    database: { ...survivor.database, url: proxy.url },
    environment: { ...BRISK, ENCRYPTION_KEYRING_FILE: survivor.settings.keyringFile }
  })
  const reached = proxy.hold({ statement: KEEP, side: 'before' })
  const answer = cut.register(webClient(), undefined, keyed('cut'))
  await reached
  const { rows: [row] } = await survivor.database.query<{ client: string }>('SELECT client_id AS client FROM registration')
  const id = await registrationIdOf(survivor.database, row?.client ?? '')
  const rotated = await request(`${survivor.operationsUrl}/v2/registrations/${id}/rotate`, 'POST', undefined, { authorization: `Bearer ${OPERATOR_KEY}` })
  t.equal(rotated.status, 200)
  t.equal((await answer).status, 201)
  t.match(await recordOf(survivor.database, 'cut'), { state: 'void', sealed: false })
  isOAuthFailure(t, await survivor.register(webClient(), undefined, keyed('cut')), 409, 'invalid_request')
  t.equal(ourApplications(survivor.simulator).length, 1)
})

t.test('a record that the database does not open in time is 503 within the deadline, nothing is begun, and the repeat is served', async t => {
  const database = await createTestDatabase(t)
  const proxy = await startPostgresProxy(t, database.url)
  const { register, simulator } = await startTestBroker(t, { database: { ...database, url: proxy.url }, environment: BRISK })
  const reached = proxy.hold({ statement: /INSERT INTO idempotency_record/, side: 'before' })
  const answer = register(webClient(), undefined, keyed('closed'))
  await reached
  isOAuthFailure(t, await answer, 503, 'temporarily_unavailable')
  t.equal(ourApplications(simulator).length, 0)
  t.equal((await register(webClient(), undefined, keyed('closed'))).status, 201)
})
