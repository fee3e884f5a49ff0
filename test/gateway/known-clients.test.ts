// What is kept of clients in traffic that never pauses. How fresh it is: freshness.test.ts.
import t from 'tap'
import { createKnownClients } from '../../src/gateway/known-clients.ts'
import type { ClientChanges } from '../../src/gateway/port.ts'
import { someGatewayClient } from '../support/records.ts'

/** From this age on of the last look at the changes another one is made. */
const RENEW_MS = 200

const clientNamed = (clientName: string) => someGatewayClient({ clientId: 'c', clientName })

/** A database that answers when the test says so. `row` is what it has of every client, as of when it is asked. */
function startDatabase () {
  const clock = { ms: 1_000 }
  const database = { row: 'first', changed: [] as string[] | null, isAnswering: true }
  const waiting: Array<() => void> = []
  const reads: string[] = []
  const known = createKnownClients({
    async findClients (clientId) {
      const row = clientNamed(database.row)
      reads.push(clientId)
      if (!database.isAnswering) await new Promise<void>(resolve => waiting.push(resolve))
      return [row]
    },
    async changesSince () {
      const changes: ClientChanges = { upTo: '1', clientIds: database.changed }
      database.changed = []
      return changes
    }
  }, { monotonicMs: () => clock.ms, alarm: () => () => {} })
  return {
    database,
    /** Of this client, since the beginning. */
    readsOf: (clientId: string) => reads.filter(each => each === clientId).length,
    find: async (clientId: string) => (await known.find(clientId)).registrations[0]?.clientName,
    /** Lets the question go that has waited longest. */
    answerNext: () => { waiting.shift()?.() },
    /** Another look at the changes begins. */
    async look (changed: string[] | null) {
      database.changed = changed
      clock.ms += RENEW_MS
      await known.find('looks')
      await settled()
    }
  }
}

/** Whatever can go on has gone on. */
const settled = async (): Promise<void> => { await new Promise(resolve => setImmediate(resolve)) }

t.test('what is read after a change was told is kept, however many questions from before are still under way', async t => {
  for (const changed of [['a', 'b'], null]) {
    const { find, look, answerNext, readsOf, database } = startDatabase()
    await find('looks')
    database.isAnswering = false
    const early = [find('a'), find('b')]
    await settled()
    Object.assign(database, { row: 'second', isAnswering: true })
    await look(changed)
    // There is always another one: in steady traffic no moment comes at which nobody asks.
    for (let time = 0; time < 3; time++) t.equal(await find('a'), 'second')
    t.equal(readsOf('a'), 2, 'the early one, and one behind the change')
    early.forEach(() => answerNext())
    t.strictSame(await Promise.all(early), ['first', 'first'])
    t.equal(await find('a'), 'second', 'the early answer takes nobody\'s place')
    t.equal(readsOf('a'), 2)
    await find('b')
    t.equal(readsOf('b'), 2)
  }
})
