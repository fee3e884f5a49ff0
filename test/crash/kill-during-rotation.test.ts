// Promise 3 against SIGKILL: whatever a rotation was about to do, a valid secret is left, the client can be rotated again, and
// in the end there is one password of ours.
import t from 'tap'
import { konnectApplication } from '../support/broker.ts'
import { ourApplications, ourPasswords, secretWorks } from '../support/entra-truth.ts'
import { rest, violations } from '../faults/invariants.ts'
import { ADD_PASSWORD, hang, REMOVE_PASSWORD, SAVE, stopAt, type Stop } from '../faults/stops.ts'
import { DEADLINE_MS, endLeases, openBench } from './bench.ts'

/** The commit that makes the new secret the client's and supersedes the old one. */
const REPLACES = /"revoke_after": ?"2/

const stops: Array<{ name: string, stop: Stop, replaced: boolean }> = [
  { name: 'before the new password is made', stop: { fault: { match: ADD_PASSWORD, action: hang } }, replaced: false },
  { name: 'after the new password is made', stop: { fault: { match: ADD_PASSWORD, action: hang, when: 'after' } }, replaced: false },
  { name: 'before its commit', stop: { statement: { statement: SAVE, parameters: REPLACES, side: 'before' } }, replaced: false },
  { name: 'after its commit', stop: { statement: { statement: SAVE, parameters: REPLACES, side: 'after' } }, replaced: true },
  { name: 'before the old one is removed', stop: { fault: { match: REMOVE_PASSWORD, action: hang } }, replaced: true },
  { name: 'after the old one is removed', stop: { fault: { match: REMOVE_PASSWORD, action: hang, when: 'after' } }, replaced: true }
]

t.test('F25 a broker killed in any gap of a rotation leaves a valid secret and, in the end, one', async t => {
  const bench = await openBench(t, 10_000)
  const { broker, simulator, proxy } = bench
  const konnect = async (path: string, body?: unknown) => await bench.konnect(broker, 'POST', path, body)
  await broker.start(proxy.url)
  const clients: Array<{ clientId: string, secret: string }> = []
  for (const { name } of stops) {
    const { body } = await konnect('', konnectApplication({ client_name: name }))
    clients.push({ clientId: body.client_id, secret: body.client_secret })
  }
  for (const [index, { stop }] of stops.entries()) {
    const reached = stopAt(bench, stop)
    konnect(`/${clients[index]?.clientId}/new-secret`).catch(() => {})
    await reached
  }
  await broker.kill()
  await endLeases(bench)
  simulator.control.faults.clear()
  t.ok(ourApplications(simulator).every(application => ourPasswords(application).length > 0), 'no client is without a password')

  await broker.start(proxy.url)
  await rest(bench)
  t.same(await violations({ ...bench, deadlineMs: DEADLINE_MS }), [])
  for (const [index, { name, replaced }] of stops.entries()) {
    const { clientId = '', secret = '' } = clients[index] ?? {}
    t.equal(await secretWorks(simulator, clientId, secret), !replaced, `${name}: the old secret ${replaced ? 'is gone' : 'still works'}`)
    const { status, body } = await konnect(`/${clientId}/new-secret`)
    t.equal(status, 200, `${name}: it can be rotated again`)
    t.equal(await secretWorks(simulator, clientId, body.client_secret), true)
  }
  t.same(await violations({ ...bench, deadlineMs: DEADLINE_MS }), [])
})
