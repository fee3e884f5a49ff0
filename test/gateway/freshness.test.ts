// How old what a gateway keeps of clients may be, with a database that answers when the test says so.
import t from 'tap'
import { createKnownClients } from '../../src/gateway/known-clients.ts'
import type { ClientChanges, GatewayClient } from '../../src/gateway/port.ts'
import { StoreUnavailableError } from '../../src/registration/ports.ts'
import { someGatewayClient } from '../support/records.ts'

const CLIENT = '7c1b5a0e-3f62-4d0c-9a1e-2b8f4c6d7e90'

const client = (isActive: boolean) => someGatewayClient({ clientId: CLIENT, isActive })

interface Waiting<T> { answer (value: T): void, fail (error: Error): void }

/** Questions wait until they are answered, or are answered at once with what `now` says. */
function scriptedStore () {
  const store = {
    reads: 0,
    polls: 0,
    moments: [] as Array<string | null>,
    /** What the database holds. */
    registrations: [client(true)],
    changed: [] as string[],
    isAway: false,
    held: { reads: null as Array<Waiting<GatewayClient[]>> | null, polls: null as Array<Waiting<ClientChanges>> | null },
    async findClients (): Promise<GatewayClient[]> {
      store.reads++
      const { held: { reads }, registrations } = store
      if (reads !== null) return await new Promise((resolve, reject) => reads.push({ answer: resolve, fail: reject }))
      return registrations.map(each => ({ ...each }))
    },
    async changesSince (moment: string | null): Promise<ClientChanges> {
      store.polls++
      store.moments.push(moment)
      const { held: { polls }, changed } = store
      if (polls !== null) return await new Promise((resolve, reject) => polls.push({ answer: resolve, fail: reject }))
      if (store.isAway) throw new StoreUnavailableError('away')
      store.changed = []
      return { upTo: String(store.polls), clientIds: changed }
    }
  }
  return store
}

function started () {
  const store = scriptedStore()
  const clock = {
    nowMs: 1_000,
    alarms: [] as Array<() => void>,
    monotonicMs: () => clock.nowMs,
    alarm (_ms: number, ring: () => void) {
      clock.alarms.push(ring)
      return () => { clock.alarms = clock.alarms.filter(each => each !== ring) }
    }
  }
  const clients = createKnownClients(store, clock)
  const isActive = async () => (await clients.find(CLIENT)).registrations[0]?.isActive
  return { store, clock, clients, isActive }
}

const turns = async () => { for (let turn = 0; turn < 20; turn++) await Promise.resolve() }

t.test('while nothing changes a client is read once, and what has changed is asked for in the background', async t => {
  const { store, clock, isActive } = started()
  for (let time = 0; time < 100; time++) {
    t.equal(await isActive(), true)
    await turns()
    clock.nowMs += 100
  }
  t.equal(store.reads, 1)
  t.ok(store.polls >= 40 && store.polls <= 60, `${store.polls} in ten seconds`)
})

t.test('a change is heeded with the next answer: after half a second at the latest, whoever was idle for long waits for one', async t => {
  const { store, clock, isActive } = started()
  t.equal(await isActive(), true)
  store.registrations = [client(false)]
  store.changed = [CLIENT]
  clock.nowMs += 499
  t.equal(await isActive(), true, 'what is kept is not older than half a second')
  await turns()
  t.equal(await isActive(), false)
  store.registrations = [client(true)]
  store.changed = [CLIENT]
  clock.nowMs += 30_000
  t.equal(await isActive(), true)
})

t.test('when the changes can\'t be read nothing that is kept is used', async t => {
  const { store, clock, isActive } = started()
  t.equal(await isActive(), true)
  store.isAway = true
  clock.nowMs += 600
  store.registrations = [client(false)]
  store.changed = [CLIENT]
  for (let time = 1; time <= 3; time++) {
    t.equal(await isActive(), false)
    t.equal(store.reads, 1 + time, 'each question goes to the database')
  }
  store.isAway = false
  t.equal(await isActive(), false)
  clock.nowMs += 100
  t.equal(await isActive(), false)
  t.equal(store.reads, 5, 'and is kept again when they can')
})

t.test('what was read while a change was told is not kept: it may be from before', async t => {
  const { store, clock, isActive } = started()
  t.equal(await isActive(), true)
  store.changed = [CLIENT]
  clock.nowMs += 250
  t.equal(await isActive(), true)
  await turns()
  const reads: Array<Waiting<GatewayClient[]>> = store.held.reads = []
  const asked = isActive()
  await turns()
  // The change commits behind the snapshot of the question, and is told before its answer has come.
  store.registrations = [client(false)]
  store.changed = [CLIENT]
  clock.nowMs += 250
  const other = isActive()
  await turns()
  store.held.reads = null
  for (const { answer } of reads) answer([client(true)])
  t.strictSame(await Promise.all([asked, other]), [true, true], 'they had asked before')
  t.equal(await isActive(), false)
})

t.test('a question about changes that hangs makes nobody believe what is kept', async t => {
  const { store, clock, isActive } = started()
  t.equal(await isActive(), true)
  const polls: Array<Waiting<ClientChanges>> = store.held.polls = []
  clock.nowMs += 300
  t.equal(await isActive(), true)
  store.registrations = [client(false)]
  clock.nowMs += 300
  const asked = isActive()
  await turns()
  t.equal(store.reads, 1, 'it waits for the answer')
  clock.nowMs += 5_000
  // What was true when it was asked is no news any more: another is asked for, and fails.
  polls[0]?.answer({ upTo: '2', clientIds: [] })
  await turns()
  t.equal(polls.length, 2)
  polls[1]?.fail(new StoreUnavailableError('away'))
  t.equal(await asked, false)
})

t.test('a question about changes that never ends is not waited for: the client is read instead', async t => {
  const { store, clock, isActive } = started()
  t.equal(await isActive(), true)
  store.held.polls = []
  store.registrations = [client(false)]
  clock.nowMs += 600
  const asked = isActive()
  for (let attempt = 0; attempt < 2; attempt++) {
    await turns()
    t.equal(clock.alarms.length, 1, 'it waits, and not for ever')
    clock.nowMs += 500
    clock.alarms.shift()?.()
  }
  t.equal(await asked, false)
  t.equal(store.reads, 2)
})

t.test('behind a pause of more than a minute everything is forgotten, and nothing is asked for since then', async t => {
  const { store, clock, isActive } = started()
  t.equal(await isActive(), true)
  clock.nowMs += 61_000
  t.equal(await isActive(), true)
  t.equal(store.reads, 2)
  t.strictSame(store.moments, [null, null])
  clock.nowMs += 400
  await isActive()
  await turns()
  t.strictSame(store.moments, [null, null, '2'])
})

t.test('more changes than are told by name end everything that is kept', async t => {
  const { store, clock, isActive } = started()
  t.equal(await isActive(), true)
  store.changesSince = async () => ({ upTo: '9', clientIds: null })
  clock.nowMs += 600
  await isActive()
  t.equal(store.reads, 2)
})

t.test('invented ids push nobody out', async t => {
  const { store, clients, isActive } = started()
  t.equal(await isActive(), true)
  store.registrations = []
  for (let index = 0; index < 30_000; index++) await clients.find(`invented ${index}`)
  const { reads } = store
  store.registrations = [client(true)]
  t.equal(await isActive(), true)
  t.equal(store.reads, reads)
})
