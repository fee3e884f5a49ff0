// An idempotency key whose answer nobody has received: given again, or made anew once the redelivery window has undone it.
import t from 'tap'
import { startTestBroker } from '../support/broker.ts'
import { ourApplications } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { endWindows, hangUp, isKnownAsLost } from '../register/hang-up.ts'
import { applicationOf, nativeClient, ownedBy } from '../register/prepared-broker.ts'
import { keyed } from './replicas.ts'

t.test('an answer that nobody has received', async t => {
  const broker = await startTestBroker(t, { environment: { RESUME_SCAN_MS: '100' }, simulator: { lag: { latencyMs: 60 } } })
  const { register, simulator, database } = broker

  await t.test('is given again, and what was given again is not undone', async t => {
    await hangUp(broker, nativeClient({ client_name: 'Asked again' }), keyed('lost'))
    await isKnownAsLost(broker, 1)
    const again = await register(nativeClient({ client_name: 'Asked again' }), undefined, keyed('lost'))
    t.equal(again.headers.get('idempotency-replayed'), 'true')
    await eventually('it is delivered', async () => (await database.query("SELECT FROM registration WHERE delivery = 'delivered'")).rowCount === 1)
    await endWindows(broker)
    await hangUp(broker, nativeClient({ client_name: 'Given up' }), keyed('given up'))
    await isKnownAsLost(broker, 1)
    await endWindows(broker)
    await eventually('the other is undone', async () => (await database.query("SELECT FROM registration WHERE state = 'undone' AND purge_at IS NULL")).rowCount === 1)
    t.ok(applicationOf(simulator, ownedBy(again).id))
  })

  await t.test('is not given again once its client was undone: the repeat makes another', async t => {
    const anew = await register(nativeClient({ client_name: 'Given up' }), undefined, keyed('given up'))
    t.strictSame([anew.status, anew.headers.get('idempotency-replayed')], [201, null])
    t.ok(applicationOf(simulator, ownedBy(anew).id))
    t.equal(ourApplications(simulator).length, 2)
  })
})
