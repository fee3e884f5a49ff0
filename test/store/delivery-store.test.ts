// The laws of the DeliveryStore (registration/ports.ts): marks, the end of the redelivery window, erasure.
import t from 'tap'
import type { DeliveryMark, DeliveryOutcome } from '../../src/registration/ports.ts'
import type { RegistrationState } from '../../src/registration/registration.ts'
import { openStore, type OpenStore } from './open-store.ts'

t.jobs = 3

const mark = (outcome: DeliveryOutcome, ageMs = 0): DeliveryMark => ({ outcome, ageMs })

t.test('what was delivered stays delivered, and who asks from then on makes another registration', async t => {
  const { store, entry, isOpen, reserve } = await openStore(t)
  const { registration: { id } } = await reserve({ fingerprint: 'one' })
  await store.markDeliveries(new Map([[id, mark('not_delivered')]]))
  t.equal((await store.find(id))?.delivery, 'not_delivered')
  t.ok(await isOpen('one'))
  await store.markDeliveries(new Map([[id, mark('delivered')]]))
  t.notOk(await isOpen('one'))
  await store.markDeliveries(new Map([[id, mark('not_delivered')]]))
  t.equal((await store.find(id))?.delivery, 'delivered')
  t.equal((await store.reserve(entry({ fingerprint: 'one' }), [], id)).kind, 'reserved')
})

t.test('a request that began before the answer was delivered finds its registration, and how long ago that was', async t => {
  const { store, entry, reserve } = await openStore(t)
  const { registration: { id } } = await reserve({ fingerprint: 'one' })
  t.strictSame(await store.reserve(entry({ fingerprint: 'one' }), []), { kind: 'open', openId: id, deliveredMsAgo: null })
  t.equal((await store.reserve(entry({ fingerprint: 'one' }), [], id)).kind, 'open', 'what is not delivered can\'t be closed')
  await store.markDeliveries(new Map([[id, mark('delivered', 5_000)]]))
  const found = await store.reserve(entry({ fingerprint: 'one' }), [])
  t.match(found, { kind: 'open', openId: id })
  t.ok(found.kind === 'open' && found.deliveredMsAgo !== null && found.deliveredMsAgo >= 5_000)
})

t.test('of many requests after a delivered answer one makes the next registration, and the others find that', async t => {
  const { store, entry, reserve } = await openStore(t)
  const { registration: { id } } = await reserve({ fingerprint: 'one' })
  await store.markDeliveries(new Map([[id, mark('delivered')]]))
  const reservations = await Promise.all(Array.from({ length: 10 }, async () => await store.reserve(entry({ fingerprint: 'one' }), [], id)))
  t.equal(reservations.filter(({ kind }) => kind === 'reserved').length, 1)
  t.notOk(reservations.some(reservation => reservation.kind === 'open' && reservation.openId === id))
})

t.test('an answer that is sent again is unknown until its mark comes', async t => {
  const open = await openStore(t)
  const id = await released(open, 'active')
  await open.store.markDeliveries(new Map([[id, mark('not_delivered')]]))
  t.equal(await open.store.extendWindow(id), true)
  await endWindows(open)
  await open.store.closeWindows(10)
  t.match(await open.store.find(id), { state: 'active', delivery: 'unknown' }, 'kept: it may have been received')
  t.equal(await open.store.extendWindow(id), false, 'its window is closed')
})

t.test('a mark that comes late says nothing about the answer that was sent again since', async t => {
  const open = await openStore(t)
  const id = await released(open, 'active')
  await open.store.extendWindow(id)
  await open.store.markDeliveries(new Map([[id, mark('not_delivered', 5_000)]]))
  t.equal((await open.store.find(id))?.delivery, 'pending')
  await open.store.markDeliveries(new Map([[id, mark('not_delivered')]]))
  t.equal((await open.store.find(id))?.delivery, 'not_delivered')
})

t.test('many marks are one statement, and a mark of an unknown row is nothing', async t => {
  const { store, reserve } = await openStore(t)
  const ids = [(await reserve()).registration.id, (await reserve()).registration.id]
  const marks = new Map(ids.map(id => [id, mark('delivered')]))
  marks.set('01a20951-0000-7000-8000-000000000000', mark('delivered'))
  await store.markDeliveries(marks)
  t.same(await Promise.all(ids.map(async id => (await store.find(id))?.delivery)), ['delivered', 'delivered'])
})

const windows: Array<{ state: RegistrationState, outcome?: DeliveryOutcome, becomes: { state: RegistrationState, delivery: string } }> = [
  { state: 'active', becomes: { state: 'active', delivery: 'unknown' } },
  { state: 'drifted', becomes: { state: 'drifted', delivery: 'unknown' } },
  { state: 'active', outcome: 'not_delivered', becomes: { state: 'undoing', delivery: 'not_delivered' } },
  { state: 'active', outcome: 'delivered', becomes: { state: 'active', delivery: 'delivered' } },
  { state: 'application_created', becomes: { state: 'undoing', delivery: 'not_delivered' } },
  { state: 'secret_issued', outcome: 'not_delivered', becomes: { state: 'undoing', delivery: 'not_delivered' } }
]
for (const { state, outcome, becomes } of windows) {
  t.test(`the end of the window leaves a registration that is ${state} and ${outcome ?? 'not marked'} ${becomes.state} and ${becomes.delivery}`, async t => {
    const open = await openStore(t)
    const id = await released(open, state)
    if (outcome !== undefined) await open.store.markDeliveries(new Map([[id, mark(outcome)]]))
    await endWindows(open)
    await open.store.closeWindows(10)
    t.match(await open.store.find(id), becomes)
    t.notOk(await open.isOpen(state))
    const due = await open.store.claimDue(10)
    t.equal(due.length, becomes.state === 'undoing' ? 1 : 0)
    t.same(await open.store.closeWindows(10), { undone: 0, unknown: 0 }, 'it is closed once')
  })
}

t.test('a window is not closed while somebody holds the row, and not before its end', async t => {
  const open = await openStore(t)
  const id = await released(open, 'active')
  t.same(await open.store.closeWindows(10), { undone: 0, unknown: 0 })
  await endWindows(open)
  const held = await open.store.acquire(id)
  t.same(await open.store.closeWindows(10), { undone: 0, unknown: 0 })
  if (held === null) return t.fail('The row is held')
  await open.store.save(held, { lease: { kind: 'release', dueInMs: null } })
  t.same(await open.store.closeWindows(10), { undone: 0, unknown: 1 })
})

t.test('a repeat begins the window anew, and one that is closed stays closed', async t => {
  const open = await openStore(t)
  const id = await released(open, 'active')
  await endWindows(open)
  await open.store.extendWindow(id)
  t.same(await open.store.closeWindows(10), { undone: 0, unknown: 0 })
  await open.store.markDeliveries(new Map([[id, mark('delivered')]]))
  await open.store.extendWindow(id)
  const { rows } = await open.database.query('SELECT redeliver_until FROM registration')
  t.same(rows, [{ redeliver_until: null }])
})

t.test('a sealed secret is erased at its time, but not while its answer may be asked for', async t => {
  const open = await openStore(t)
  const id = await released(open, 'active')
  await open.database.query("UPDATE credential SET seal_version = 1, seal_kid = 'k', seal_wrapped_key = '\\x01', seal_ciphertext = '\\x02', erase_at = now()")
  t.equal(await open.store.eraseExpiredSecrets(10), 0)
  await open.store.markDeliveries(new Map([[id, mark('delivered')]]))
  t.equal(await open.store.eraseExpiredSecrets(10), 1)
  t.match(await open.store.find(id), { credentials: [{ sealed: null, eraseAt: null }] })
  t.equal(await open.store.eraseExpiredSecrets(10), 0)
})

/** A registration in this state that nobody holds. */
async function released ({ store, reserve }: OpenStore, state: RegistrationState): Promise<string> {
  const held = await reserve({ fingerprint: state })
  held.registration.state = state
  await store.save(held, { lease: { kind: 'release', dueInMs: null } })
  return held.registration.id
}

async function endWindows ({ database }: OpenStore): Promise<void> {
  await database.query('UPDATE registration SET redeliver_until = now() WHERE redeliver_until IS NOT NULL')
}
