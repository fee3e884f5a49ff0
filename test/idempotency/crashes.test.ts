// An idempotency key when its request dies: whatever it had reached, the repeat gets the one client.
import t from 'tap'
import { INITIAL_ACCESS_TOKEN, request, startTestBroker } from '../support/broker.ts'
import { prepareBrokerProcess } from '../support/broker-process.ts'
import { ourApplications } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { startPostgresProxy } from '../support/postgres-proxy.ts'
import { isOAuthFailure } from '../register/failure.ts'
import { endWindows } from '../register/hang-up.ts'
import { ownedBy, tokenOutcome, webClient } from '../register/prepared-broker.ts'
import { endLease } from './records.ts'
import { BRISK, KEEP, keyed, untilServed } from './replicas.ts'

t.test('a replica that is killed', async t => {
  const survivor = await startTestBroker(t, { environment: BRISK })
  const { database, simulator, settings: { keyringFile } } = survivor
  const proxy = await startPostgresProxy(t, database.url)
  const process = await prepareBrokerProcess(t, simulator, {
    environment: { ...BRISK, INITIAL_ACCESS_TOKENS: INITIAL_ACCESS_TOKEN }, keyringFile
  })
  const send = async (document: object, key: string) =>
    await request(`${process.url}/register`, 'POST', document, { authorization: `Bearer ${INITIAL_ACCESS_TOKEN}`, ...keyed(key) })

  await t.test('in the middle leaves the key in flight until its lease is over; then the repeat gets the one client', async t => {
    await process.start(proxy.url)
    const document = webClient({ client_name: 'Killed midway' })
    const rule = simulator.control.faults.add({ match: { method: 'PATCH', path: '/servicePrincipals' }, action: { type: 'hang' }, when: 'after' })
    send(document, 'killed').catch(() => {})
    await eventually('Entra is at work', () => simulator.control.journal.entries().some(entry => entry.faultId === rule))
    await process.kill()
    isOAuthFailure(t, await survivor.register(document, undefined, keyed('killed')), 409, 'temporarily_unavailable')
    await endLease(database, 'killed')
    const client = ownedBy(await untilServed(() => survivor.register(document, undefined, keyed('killed'))))
    t.equal(await tokenOutcome(simulator, client), 'ok')
    t.equal(ourApplications(simulator).filter(({ displayName }) => displayName === 'Killed midway').length, 1)
    t.strictSame((await survivor.register(document, undefined, keyed('killed'))).body, client.body)
  })

  await t.test('between the commit and the answer loses nothing, not even after the redelivery window', async t => {
    await process.start(proxy.url)
    const document = webClient({ client_name: 'Killed before the answer' })
    const reached = proxy.hold({ statement: KEEP, side: 'before' })
    send(document, 'unanswered').catch(() => {})
    await reached
    await process.kill()
    await endWindows(survivor)
    await eventually('nobody knows what became of the answer', async () => (await database.query("SELECT FROM registration WHERE delivery = 'unknown'")).rowCount === 1)
    await endLease(database, 'unanswered')
    const client = ownedBy(await survivor.register(document, undefined, keyed('unanswered')))
    t.equal(await tokenOutcome(simulator, client), 'ok')
    t.equal((await survivor.manage('GET', client.uri, client.token)).status, 200)
    t.equal(ourApplications(simulator).filter(({ displayName }) => displayName === 'Killed before the answer').length, 1)
  })
})
