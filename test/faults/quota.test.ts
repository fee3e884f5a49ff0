// The tenant's write quota, scaled down, with two replicas and default times. `npm run quota` does it with a thousand registrations (its
// argument is their number) on a machine of its own, and asserts times and that nothing was refused; the suite, beside other tests, does not.
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { openCluster, type Cluster } from './cluster.ts'

const isAlone = process.argv[2] !== undefined
const count = Number(process.argv[2] ?? 60)
/** Of a thousand registrations. */
const TIGHT_MS = 6_000
const WIDE_MS = 60_000
const DEFAULTS = { REQUEST_DEADLINE_MS: '8000', ATTEMPT_TIMEOUT_MS: '3000', LEASE_MS: '15000', RESUME_SCAN_MS: '5000' }
/** What the broker leaves of the tenant's rate. */
const MARGIN = 0.01

interface Quota {
  /** No sooner can the tenant have taken all the writes. */
  minimumMs: number
  /** How much of the tenant's burst the broker uses: the rest is for calls that come late, all at once. */
  burstShare: number
}

t.test(`${count} registrations at once that the tenant takes much later are all answered to those who come back when told`, async t => {
  const minimumMs = WIDE_MS * count / 1_000 * (isAlone ? 1 : 1.5)
  const { cluster, elapsedMs } = await openQuota(t, { minimumMs, burstShare: isAlone ? 0.75 : 0.5 })
  let refusals = 0
  let answered = 0
  const progress = setInterval(() => t.comment(`${Math.round(elapsedMs() / 1_000)} s: ${answered} answered, ${refusals} refusals`), 10_000)
  await Promise.all(everybody(cluster, async (replica, name) => {
    const result = await cluster.createPatiently(replica, { client_name: name }, 10 * minimumMs)
    refusals += result.refusals
    if (result.answer.status === 201) answered += 1
  }))
  clearInterval(progress)
  const tookMs = elapsedMs()
  t.equal(answered, count, 'all 201')
  if (isAlone) t.ok(tookMs <= 1.2 * minimumMs, `within 1.2 times the minimum: ${(tookMs / minimumMs).toFixed(2)}`)
  judge(t, cluster, `${Math.round(tookMs)} ms, the minimum is ${minimumMs}; ${refusals} refusals`)
})

// Whether everybody is served at once is a matter of time: nothing for a busy machine.
if (isAlone) {
  t.test(`${count} registrations at once that the tenant takes in time are all answered at the first try`, async t => {
    const minimumMs = TIGHT_MS * count / 1_000
    const { cluster, elapsedMs } = await openQuota(t, { minimumMs, burstShare: 0.5 })
    const statuses = await Promise.all(everybody(cluster, async (replica, name) => (await cluster.create(replica, { client_name: name })).status))
    t.equal(statuses.filter(status => status === 201).length, count, 'all 201')
    judge(t, cluster, `${Math.round(elapsedMs())} ms, the minimum is ${minimumMs}`)
  })
}

/** Two replicas that have served a request, and a tenant with this quota from now on. */
async function openQuota (t: Test, { minimumMs, burstShare }: Quota): Promise<{ cluster: Cluster, elapsedMs: () => number }> {
  const writes = 3 * count
  const capacity = Math.round(writes / 6)
  const perSecond = (writes - capacity) / minimumMs * 1_000
  const cluster = await openCluster(t, {
    replicas: [{}, {}],
    environment: {
      ...DEFAULTS, GRAPH_WRITES_PER_SECOND: String(perSecond * (1 - MARGIN)), GRAPH_WRITE_BURST: String(Math.round(capacity * burstShare))
    }
  })
  await cluster.start()
  for (const replica of cluster.replicas) await cluster.create(replica, { client_name: 'the first of a process' })
  const burstMs = capacity / perSecond * 1_000
  // The budget of both sides is whole again.
  await delay(Math.min(burstMs, 7 * 1_000 / perSecond) + 500)
  const { control } = cluster.simulator
  control.journal.clear()
  control.policy({ writesPerPeriod: capacity, periodMs: burstMs })
  const started = performance.now()
  return { cluster, elapsedMs: () => performance.now() - started }
}

function everybody<T> (cluster: Cluster, register: (replica: Cluster['broker'], name: string) => Promise<T>): Array<Promise<T>> {
  return Array.from({ length: count }, async (_, index) => await register(cluster.replicas[index % 2] ?? cluster.broker, `client ${index}`))
}

function judge (t: Test, { simulator }: Cluster, summary: string): void {
  const calls = simulator.control.journal.entries({ path: '/v1.0/' })
  const writes = calls.filter(({ method }) => method !== 'GET').length
  const refused = calls.filter(({ status }) => status === 429).length
  t.comment(`${count} registrations: ${summary}; ${refused} times 429, ${(writes / count).toFixed(2)} writes each`)
  if (!isAlone) return
  t.equal(refused, 0, 'no 429 from the tenant')
  t.ok(writes <= 3 * count, 'at most three writes a registration')
}
