// Liveness and readiness.
import t from 'tap'
import { createReadiness, untilPassed } from '../../src/http/readiness.ts'
import { createServer } from './operations-server.ts'

const tenants = () => ({ default: 'failing' as const })
const passes = async () => {}
const fails = async () => { throw new Error('password authentication failed for user "broker"') }

t.test('a live process answers 200 and tells nothing, whatever its parts do', async t => {
  const server = await createServer(t, { readiness: createReadiness({ checks: { database: fails }, tenants }) })
  const { body, statusCode } = await server.inject('/healthz')
  t.equal(statusCode, 200)
  t.equal(body, '{"status":"ok"}')
})

t.test('a replica whose parts are well is ready, even while a tenant is failing', async t => {
  const server = await createServer(t, { readiness: createReadiness({ checks: { database: passes, keyring: passes }, tenants }) })
  const response = await server.inject('/readyz')
  t.equal(response.statusCode, 200)
  t.same(response.json(), { status: 'ready', checks: { database: 'ok', keyring: 'ok' }, tenants: { default: 'failing' } })
})

t.test('a replica with a failing part is not ready; the reason goes to whoever listens, not to the answer', async t => {
  const reasons: unknown[] = []
  const onFailure = (check: string, error: unknown) => { reasons.push([check, error]) }
  const server = await createServer(t, { readiness: createReadiness({ checks: { database: fails, keyring: passes }, tenants, onFailure }) })
  const response = await server.inject('/readyz')
  t.equal(response.statusCode, 503)
  t.same(response.json(), { status: 'not_ready', checks: { database: 'failed', keyring: 'ok' }, tenants: { default: 'failing' } })
  t.match(reasons, [['database', { message: /authentication failed/ }]])
})

t.test('a part that does not answer in time is not waited for, and is told so', async t => {
  let aborted = false
  const hangs = (signal: AbortSignal) => new Promise<void>(() => signal.addEventListener('abort', () => { aborted = true }))
  const readiness = createReadiness({ checks: { database: hangs, keyring: passes }, tenants, checkTimeoutMs: 30 })
  const report = await readiness.report()
  t.same(report.checks, { database: 'timed_out', keyring: 'ok' })
  t.notOk(report.ready)
  t.ok(aborted)
})

t.test('parts are asked once a second, however often the report is wanted', async t => {
  let asked = 0
  let nowMs = 5
  const readiness = createReadiness({ checks: { database: async () => { asked += 1 } }, tenants, monotonicMs: () => nowMs })
  await Promise.all([readiness.report(), readiness.report()])
  nowMs += 999
  await readiness.report()
  t.equal(asked, 1)
  nowMs += 1
  await readiness.report()
  t.equal(asked, 2)
})

t.test('what was found before a part has changed counts no more', async t => {
  let hasStarted = false
  const readiness = createReadiness({ checks: { started: async () => { if (!hasStarted) await fails() } }, tenants, monotonicMs: () => 5 })
  t.notOk((await readiness.report()).ready)
  hasStarted = true
  readiness.askAgain()
  t.ok((await readiness.report()).ready)
})

t.test('a draining replica is not ready at once, though its parts were just found well', async t => {
  const readiness = createReadiness({ checks: { database: passes }, tenants })
  t.ok((await readiness.report()).ready)
  readiness.drain()
  t.match(await readiness.report(), { ready: false, draining: true, checks: { database: 'ok' } })
})

t.test('the readiness route says draining with 503', async t => {
  const readiness = createReadiness({ checks: {}, tenants })
  const server = await createServer(t, { readiness })
  t.equal((await server.inject('/readyz')).statusCode, 200)
  readiness.drain()
  const response = await server.inject('/readyz')
  t.equal(response.statusCode, 503)
  t.match(response.json(), { status: 'draining' })
})

t.test('a check that has passed once is not asked again; one that failed is', async t => {
  const outcomes = [fails, passes, fails]
  const check = untilPassed(async () => await outcomes.shift()?.())
  const { signal } = new AbortController()
  await t.rejects(check(signal))
  await check(signal)
  await check(signal)
  t.equal(outcomes.length, 1)
})
