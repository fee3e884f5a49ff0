// The laws of the RegistrationStore (registration/ports.ts): rows that stay, saves that are fenced, leases on PostgreSQL's clock.
import t from 'tap'
import type { AuditEntry, Registration } from '../../src/registration/registration.ts'
import { eventually } from '../support/eventually.ts'
import { openStore } from './open-store.ts'

t.jobs = 3

const KEEP = { lease: { kind: 'keep' } } as const
const RELEASE = { lease: { kind: 'release', dueInMs: null } } as const

t.test('a reserved row is there with its pending credential and its audit, and its lease is held', async t => {
  const { store, database, entry } = await openStore(t)
  const wanted = entry()
  const reservation = await store.reserve(wanted, [audit(wanted.id)])
  const stored = await store.find(wanted.id)
  t.match(stored, { id: wanted.id, state: 'reserved', delivery: 'pending', credentials: [{ id: wanted.credentialId, state: 'pending' }] })
  t.same(comparable(reservation.kind === 'reserved' ? reservation.held.registration : null), comparable(stored), 'what reserve answers is what is stored')
  t.equal(await store.acquire(wanted.id), null)
  t.equal((await database.query('SELECT FROM audit_event')).rowCount, 1)
})

t.test('two reserves at once with one fingerprint make one row', async t => {
  const { store, database, entry } = await openStore(t)
  const reserve = async () => await store.reserve(entry({ fingerprint: 'same' }), [])
  const reservations = await Promise.all(Array.from({ length: 8 }, reserve))
  const [winner, ...others] = reservations.flatMap(reservation => reservation.kind === 'reserved' ? [reservation.held] : [])
  t.same(others, [])
  t.equal((await database.query('SELECT FROM registration')).rowCount, 1)
  t.equal((await database.query('SELECT FROM credential')).rowCount, 1)
  t.strictSame(await reserve(), { kind: 'open', openId: winner?.registration.id, deliveredMsAgo: null }, 'a later one learns whose it is')
  t.equal((await store.reserve(entry({ fingerprint: 'other' }), [])).kind, 'reserved')
  t.equal((await store.reserve(entry(), [])).kind, 'reserved', 'no fingerprint is never a repeat')
})

t.test('a save with a stale token writes nothing at all', async t => {
  const { store, database, reserve } = await openStore(t)
  const held = await reserve()
  await store.save(held, RELEASE)
  const next = await eventually('the row can be taken', async () => await store.acquire(held.registration.id))
  held.registration.state = 'active'
  const [credential] = held.registration.credentials
  if (credential === undefined) return t.fail('There is no credential')
  credential.state = 'active'
  t.equal(await store.save(held, { ...KEEP, credentials: [credential], events: [event(held.registration.id)], audit: [audit(held.registration.id)] }), false)
  t.match(await store.find(held.registration.id), { state: 'reserved', credentials: [{ state: 'pending' }] })
  t.equal((await database.query('SELECT FROM audit_event')).rowCount, 0)
  t.equal((await database.query('SELECT FROM registration_event')).rowCount, 0)
  t.equal(await store.renew(held.lease), null)
  t.equal(await store.save(next, KEEP), true)
})

t.test('a save writes the row, its credentials, events and audit together, and may run twice', async t => {
  const { store, database, reserve } = await openStore(t)
  const held = await reserve()
  const { registration } = held
  Object.assign(registration, { state: 'active', objectId: registration.id, clientId: registration.id, activatedAt: new Date() })
  const [credential] = registration.credentials
  if (credential === undefined) return t.fail('There is no credential')
  Object.assign(credential, {
    state: 'active',
    keyId: registration.id,
    hint: 'abc',
    expiresAt: new Date(),
    sealed: { version: 1, kid: 'k1', wrappedKey: Uint8Array.of(1, 2), ciphertext: Uint8Array.of(3, 0, 255) },
    verifier: { pepperId: 'p1', digest: Uint8Array.of(9) },
    eraseAt: new Date()
  })
  const options = { ...KEEP, credentials: [credential], events: [event(registration.id)], audit: [audit(registration.id)] }
  t.equal(await store.save(held, options), true)
  t.equal(await store.save(held, options), true, 'the outcome of the first was not known')
  t.same(comparable(await store.find(registration.id)), comparable(registration))
  t.equal((await database.query('SELECT FROM registration_event')).rowCount, 1)
  t.equal((await database.query('SELECT FROM audit_event')).rowCount, 1)
})

t.test('a save that the database refuses in one part leaves no part', async t => {
  const { store, database, reserve } = await openStore(t)
  const held = await reserve()
  held.registration.state = 'active'
  const [credential] = held.registration.credentials
  if (credential === undefined) return t.fail('There is no credential')
  const half = { ...credential, state: 'nonsense' as 'active' }
  await t.rejects(store.save(held, { ...KEEP, credentials: [half], audit: [audit(held.registration.id)] }))
  t.match(await store.find(held.registration.id), { state: 'reserved', credentials: [{ state: 'pending' }] })
  t.equal((await database.query('SELECT FROM audit_event')).rowCount, 0)
})

t.test('a claim skips what is held, and takes it when the lease and one attempt are over', async t => {
  const times = { leaseMs: 4_000, attemptTimeoutMs: 500 }
  const { store, reserve } = await openStore(t, times)
  const beganMs = performance.now()
  const held = await reserve()
  t.same(await store.claimDue(10), [])
  const [claimed] = await eventually('it can be claimed', async () => {
    const batch = await store.claimDue(10)
    return batch.length > 0 ? batch : null
  })
  t.ok(performance.now() - beganMs >= times.leaseMs + times.attemptTimeoutMs)
  t.equal(claimed?.registration.id, held.registration.id)
  t.ok((claimed?.lease.token ?? 0n) > held.lease.token)
  t.equal(await store.save(held, KEEP), false, 'the former holder is fenced')
})

t.test('a row that has become due while somebody holds it is neither claimed nor acquired', async t => {
  const { store, reserve, database } = await openStore(t, { leaseMs: 60_000 })
  const held = await reserve()
  await database.query('UPDATE registration SET due_at = now()')
  t.same(await store.claimDue(10), [])
  t.equal(await store.acquire(held.registration.id), null)
  t.equal(await store.save(held, KEEP), true, 'it is still its holder\'s')
})

t.test('an abandoned row is not taken before one attempt timeout has passed, a released one at once', async t => {
  const times = { attemptTimeoutMs: 3_000 }
  const { store, reserve } = await openStore(t, times)
  const [released, abandoned] = [await reserve(), await reserve()]
  await store.save(released, { lease: { kind: 'release', dueInMs: 0 } })
  const beganMs = performance.now()
  await store.save(abandoned, { lease: { kind: 'abandon', dueInMs: 0 } })
  t.same((await store.claimDue(10)).map(({ registration }) => registration.id), [released.registration.id])
  t.equal(await store.acquire(abandoned.registration.id), null)
  await eventually('the abandoned one can be taken', async () => await store.acquire(abandoned.registration.id))
  t.ok(performance.now() - beganMs >= times.attemptTimeoutMs)
})

t.test('a renewed lease is held on, and a row is claimed by one replica only', async t => {
  const { store, reserve } = await openStore(t)
  const held = await reserve()
  const renewed = await store.renew(held.lease)
  t.ok(renewed !== null && renewed.expiresAtMs > held.lease.expiresAtMs)
  for (let index = 0; index < 9; index++) await store.save(await reserve(), { lease: { kind: 'release', dueInMs: 0 } })
  const batches = await Promise.all(Array.from({ length: 6 }, async () => await store.claimDue(4)))
  const ids = batches.flat().map(({ registration }) => registration.id)
  t.equal(ids.length, 9)
  t.equal(new Set(ids).size, 9)
})

t.test('the one who claims a registration in the making knows that its answer never left', async t => {
  const { store, reserve } = await openStore(t)
  const making = await reserve()
  const made = await reserve()
  made.registration.state = 'active'
  await store.save(making, { lease: { kind: 'release', dueInMs: 0 } })
  await store.save(made, { lease: { kind: 'release', dueInMs: 0 } })
  await store.claimDue(10)
  t.equal((await store.find(making.registration.id))?.delivery, 'not_delivered')
  t.equal((await store.find(made.registration.id))?.delivery, 'pending')
})

function audit (registrationId: string): AuditEntry {
  return {
    id: registrationId,
    at: new Date(),
    actor: 'test',
    action: 'test.done',
    outcome: 'succeeded',
    registrationId,
    providerId: null,
    requestId: null,
    detail: {}
  }
}

function event (registrationId: string) {
  return { id: registrationId, type: 'add_registration', applicationId: 'a', productId: 'p', audience: null, digest: 'd', receivedAt: new Date() }
}

/** As JSON, without the time of the last write: bytes and dates compare by value. */
function comparable (registration: Registration | null | undefined): unknown {
  if (registration === null || registration === undefined) return registration
  const { updatedAt, ...rest } = registration
  return JSON.parse(JSON.stringify(rest, (_name, value: unknown) => value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value))
}
