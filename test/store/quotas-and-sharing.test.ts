// What several registrations have in common, decided in the database: quotas, shared clients, management tokens.
import t from 'tap'
import { openStore } from './open-store.ts'

t.jobs = 3

const POLICY = '01a20951-0000-4000-8000-00000000000a'
const RELEASE = { lease: { kind: 'release', dueInMs: null } } as const

async function openWithPolicy (t: Parameters<typeof openStore>[0]) {
  const open = await openStore(t)
  await open.database.query("INSERT INTO policy (id, name, rules) VALUES ($1, 'of the test', '{}')", [POLICY])
  return open
}

t.test('of many registrations at once a token makes as many as it may, and the rest is refused', async t => {
  const { store, entry } = await openWithPolicy(t)
  const quota = { perCaller: 3, perPolicy: null }
  const made = await Promise.all(Array.from({ length: 10 }, async () => await store.reserve(entry({ policyId: POLICY, quota }), [])))
  t.equal(made.filter(({ kind }) => kind === 'reserved').length, 3)
  t.equal(made.filter(reservation => reservation.kind === 'refused' && reservation.quota === 'caller').length, 7)
})

t.test('a registration that was undone gives its place back, a deleted one only in the policy', async t => {
  const { store, entry } = await openWithPolicy(t)
  const quota = { perCaller: 2, perPolicy: 1 }
  const first = await store.reserve(entry({ policyId: POLICY, quota }), [])
  if (first.kind !== 'reserved') return t.fail('Not reserved')
  t.strictSame(await store.reserve(entry({ policyId: POLICY, quota }), []), { kind: 'refused', quota: 'policy' })
  first.held.registration.state = 'undone'
  await store.save(first.held, RELEASE)

  const second = await store.reserve(entry({ policyId: POLICY, quota }), [])
  if (second.kind !== 'reserved') return t.fail('Not reserved')
  second.held.registration.state = 'deleted'
  await store.save(second.held, RELEASE)
  t.equal((await store.reserve(entry({ policyId: POLICY, quota }), [])).kind, 'reserved', 'the second of two')
  t.strictSame(await store.reserve(entry({ policyId: POLICY, quota: { ...quota, perPolicy: null } }), []), { kind: 'refused', quota: 'caller' })
})

t.test('a repeat of an open registration is answered even when the quota is used up', async t => {
  const { store, entry } = await openWithPolicy(t)
  const wanted = { policyId: POLICY, fingerprint: 'same', quota: { perCaller: 1, perPolicy: 1 } }
  const first = entry(wanted)
  t.equal((await store.reserve(first, [])).kind, 'reserved')
  t.strictSame(await store.reserve(entry(wanted), []), { kind: 'open', openId: first.id, deliveredMsAgo: null })
})

t.test('identical registrations of one caller share a row until it ends', async t => {
  const { store, entry } = await openStore(t)
  const reservations = await Promise.all(Array.from({ length: 6 }, async () => await store.reserve(entry({ sharingKey: 'same', credentialId: null }), [])))
  const [winner, ...others] = reservations.flatMap(reservation => reservation.kind === 'reserved' ? [reservation.held] : [])
  if (winner === undefined) return t.fail('Nobody won')
  t.same(others, [])
  t.strictSame(winner.registration.credentials, [], 'a public client has no credential')
  t.equal(await store.renewShared(winner.registration.id), false, 'not while it is being made')

  winner.registration.state = 'active'
  await store.save(winner, { lease: { kind: 'keep' } })
  t.equal(await store.renewShared(winner.registration.id), true)
  winner.registration.state = 'disabled'
  await store.save(winner, RELEASE)
  t.equal((await store.reserve(entry({ sharingKey: 'same' }), [])).kind, 'reserved', 'the next one is another client')
})

t.test('a new management token leaves the one before it valid until it is used, and both end with the client', async t => {
  const { store, reserve } = await openStore(t)
  const [one, two, three] = [1, 2, 3].map(byte => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array, Uint8Array]
  const held = await reserve({ managementDigest: one })
  const { registration } = held
  const tokens = async () => {
    const { managementDigest, previousManagementDigest } = await store.find(registration.id) ?? {}
    return [managementDigest?.[0] ?? null, previousManagementDigest?.[0] ?? null]
  }
  registration.state = 'active'
  await store.save(held, { lease: { kind: 'keep' } })
  t.strictSame(await tokens(), [1, null])

  t.equal(await store.replaceManagementToken(registration.id, two), true)
  t.strictSame(await tokens(), [2, 1])
  await store.save(held, { lease: { kind: 'keep' } })
  t.strictSame(await tokens(), [2, 1], 'a save that brings no token touches none')
  await store.endPreviousManagementToken(registration.id, one)
  t.strictSame(await tokens(), [2, 1], 'only the current one ends the previous')
  await store.endPreviousManagementToken(registration.id, two)
  t.strictSame(await tokens(), [2, null])

  await store.save(held, { lease: { kind: 'keep' }, managementToken: { current: three, previous: two } })
  t.strictSame(await tokens(), [3, 2])
  registration.state = 'deleted'
  await store.save(held, RELEASE)
  t.strictSame(await tokens(), [null, null])
  t.equal(await store.replaceManagementToken(registration.id, one), false)
})

t.test('nothing is reserved at a provider that another replica has just deleted', async t => {
  const { store, entry, database } = await openStore(t)
  await database.query('UPDATE provider SET deleted_at = now()')
  t.strictSame(await store.reserve(entry(), []), { kind: 'unserved' })
  t.equal((await database.query('SELECT FROM registration')).rowCount, 0)
})
