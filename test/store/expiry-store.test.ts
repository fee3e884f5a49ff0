// Expiry in the database: who expires, how many per run, and what is left alone.
import t from 'tap'
import { commandLine } from '../../src/administration/operator.ts'
import type { ExpiryRules } from '../../src/registration/policy.ts'
import type { Registration } from '../../src/registration/registration.ts'
import { declareUsageSource, recordUse } from '../../src/store/usage-administration.ts'
import { openStore, type OpenStore } from './open-store.ts'

t.jobs = 3

const POLICY = '01a20951-0000-4000-8000-00000000000b'
const DAY_MS = 86_400_000
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS)

interface Wanted { activatedDaysAgo: number, change?: Partial<Registration> }

async function openWithExpiry (t: Parameters<typeof openStore>[0], expiry: ExpiryRules | null) {
  const open = await openStore(t)
  await open.database.query("INSERT INTO policy (id, name, rules) VALUES ($1, 'of the test', $2)", [POLICY, JSON.stringify({ expiry })])
  return { ...open, active: async (wanted: Wanted) => await active(open, wanted) }
}

async function active ({ store, reserve }: OpenStore, { activatedDaysAgo, change = {} }: Wanted): Promise<string> {
  const held = await reserve({ policyId: POLICY })
  Object.assign(held.registration, { state: 'active', appliedRevision: 1, clientId: held.registration.id, activatedAt: daysAgo(activatedDaysAgo), ...change })
  await store.save(held, { lease: { kind: 'release', dueInMs: null } })
  return held.registration.id
}

t.test('by age: a client is disabled when its time is over, and wants to be disabled in Entra', async t => {
  const { store, active, database } = await openWithExpiry(t, { afterDays: 30, countedFrom: 'registration', graceDays: 7 })
  const old = await active({ activatedDaysAgo: 31 })
  const young = await active({ activatedDaysAgo: 29 })
  const renewed = await active({ activatedDaysAgo: 90, change: { renewedAt: daysAgo(1) } })
  t.equal(await store.disableExpired(10), 1)
  t.match(await store.find(old), { state: 'disabled', disabledBy: 'expiry', projection: { enabled: false }, desiredRevision: 2, appliedRevision: 1 })
  t.match(await store.find(young), { state: 'active' })
  t.match(await store.find(renewed), { state: 'active' }, 'an update by its owner renews it')
  t.match((await database.query('SELECT actor, action, registration_id FROM audit_event')).rows, [{ actor: 'broker', action: 'registration.expired', registration_id: old }])
  t.match((await store.claimDue(10)).map(({ registration }) => registration.id), [old])
})

t.test('no run touches more than it may', async t => {
  const { store, active } = await openWithExpiry(t, { afterDays: 1, countedFrom: 'registration', graceDays: 0 })
  await Promise.all(Array.from({ length: 5 }, async () => await active({ activatedDaysAgo: 10 })))
  t.equal(await store.disableExpired(2), 2)
  t.equal(await store.endExpired(1), 1)
  t.equal(await store.disableExpired(10), 3)
})

t.test('by use: nothing expires before a source is declared and has reported the whole time', async t => {
  const { store, active, prisma } = await openWithExpiry(t, { afterDays: 30, countedFrom: 'use', graceDays: 7 })
  const report = async (until: Date, uses = new Map<string, Date>()) => await recordUse(prisma, commandLine, 'default', until, uses)
  const unused = await active({ activatedDaysAgo: 60 })
  const used = await active({ activatedDaysAgo: 60 })
  t.equal(await store.disableExpired(10), 0, 'no source')
  await t.rejects(report(new Date()), /no source of use/)
  await declareUsageSource(prisma, commandLine, 'default', 'sign-in logs')
  t.equal(await store.disableExpired(10), 0, 'it has not reported')
  await report(new Date())
  t.equal(await store.disableExpired(10), 0, 'it has watched for a moment')
  await prisma.provider.updateMany({ data: { usageDeclaredAt: daysAgo(50), usageReportedAt: null } })
  await report(daysAgo(40))
  t.equal(await store.disableExpired(10), 0, 'its report ends 20 days after the registration')
  t.equal(await report(new Date(), new Map([[used, daysAgo(5)], [POLICY, new Date()]])), 1, 'of the two one is known')
  t.equal(await store.disableExpired(10), 1)
  t.match([await store.find(unused), await store.find(used)], [{ state: 'disabled' }, { state: 'active' }])
})

t.test('by use: what one source has reported does not count for the next', async t => {
  const { store, active, prisma } = await openWithExpiry(t, { afterDays: 30, countedFrom: 'use', graceDays: 7 })
  await active({ activatedDaysAgo: 60 })
  await declareUsageSource(prisma, commandLine, 'default', 'sign-in logs')
  await recordUse(prisma, commandLine, 'default', new Date(), new Map())
  await declareUsageSource(prisma, commandLine, 'default', 'the gateway')
  t.equal(await store.disableExpired(10), 0)
  await declareUsageSource(prisma, commandLine, 'default', null)
  t.equal(await store.disableExpired(10), 0)
})

t.test('what expiry disabled ends after the grace period; what an operator disabled stays', async t => {
  const { store, active } = await openWithExpiry(t, { afterDays: 1, countedFrom: 'registration', graceDays: 7 })
  const over = await active({ activatedDaysAgo: 60, change: { state: 'disabled', disabledBy: 'expiry', disabledAt: daysAgo(8) } })
  const waiting = await active({ activatedDaysAgo: 60, change: { state: 'disabled', disabledBy: 'expiry', disabledAt: daysAgo(6) } })
  const byOperator = await active({ activatedDaysAgo: 60, change: { state: 'disabled', disabledBy: 'operator', disabledAt: daysAgo(90) } })
  t.equal(await store.endExpired(10), 1)
  t.match([await store.find(over), await store.find(waiting), await store.find(byOperator)], [{ state: 'deleting' }, { state: 'disabled' }, { state: 'disabled' }])
})

t.test('without expiry in the policy, or while somebody works on it, nothing happens', async t => {
  const { store, active } = await openWithExpiry(t, null)
  await active({ activatedDaysAgo: 900 })
  t.equal(await store.disableExpired(10), 0)

  const other = await openWithExpiry(t, { afterDays: 1, countedFrom: 'registration', graceDays: 0 })
  const held = await other.active({ activatedDaysAgo: 900 })
  await other.store.acquire(held)
  t.equal(await other.store.disableExpired(10), 0)
})
