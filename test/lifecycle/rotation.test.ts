// Rotation never leaves zero valid secrets (promise 3), answers within its deadline (promise 5), and touches no password of others.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { ourApplications, ourPasswords } from '../support/entra-truth.ts'
import { graphAs } from './graph.ts'
import { SHORT_TIMES, startWatchedClient } from './watched-client.ts'

const DEADLINE_MS = Number(SHORT_TIMES.REQUEST_DEADLINE_MS)
/** What a busy machine needs to say so. */
const SLACK_MS = 4_000

/** Secrets are accepted long after all that is done before, and long before their predecessors are removed unproved. */
const LONG_GRACE = { ...SHORT_TIMES, SUPERSEDED_GRACE_MS: '30000' }

t.jobs = 3

t.test('a secret that Entra knows at once has replaced the old one when the answer comes', async t => {
  const { watch, secret } = await startWatchedClient(t, 0)
  const { status, body } = await watch.rotate()
  t.equal(status, 200)
  t.equal(await watch.works(secret), false)
  t.equal(await watch.works(body.client_secret), true)
  t.same(await watch.end(), [])
})

t.test('a secret that Entra knows before the deadline is waited for, then the old one is gone', async t => {
  // The proof has seconds to spare: on a busy machine it would otherwise be given up, as the rule says.
  const { watch, secret } = await startWatchedClient(t, 1_000, { ...SHORT_TIMES, REQUEST_DEADLINE_MS: '8000' })
  const { status, body, tookMs } = await watch.rotate()
  t.equal(status, 200)
  t.ok(tookMs >= 1_000 && tookMs < 8_000 + SLACK_MS, `answered after ${tookMs} ms`)
  t.equal(await watch.works(secret), false)
  t.equal(await watch.works(body.client_secret), true)
  t.same(await watch.end(), [])
})

t.test('a secret that Entra knows after the deadline is answered in time, and the old one works until it is accepted', async t => {
  // Long after the answer, also on a busy machine.
  const { watch, secret } = await startWatchedClient(t, 8_000)
  const { status, body, tookMs } = await watch.rotate()
  t.equal(status, 200)
  t.ok(tookMs < DEADLINE_MS + SLACK_MS, `answered after ${tookMs} ms`)
  t.equal(await watch.works(body.client_secret), false)
  t.equal(await watch.works(secret), true)
  const acceptedMs = await watch.accepted(body.client_secret)
  const refusedMs = await watch.refused(secret)
  t.ok(refusedMs >= acceptedMs, `accepted at ${acceptedMs} ms, the old one refused at ${refusedMs} ms`)
  t.same(await watch.end(), [])
})

t.test('a secret that Entra does not know leaves the old one for the time of grace, and not longer', async t => {
  const { watch, secret } = await startWatchedClient(t, 50_000, { ...SHORT_TIMES, SUPERSEDED_GRACE_MS: '6000' })
  const beganMs = performance.now()
  const { status } = await watch.rotate()
  t.equal(status, 200)
  t.equal(await watch.works(secret), true)
  await watch.refused(secret)
  t.ok(performance.now() - beganMs > 6_000)
})

t.test('F24 two rotations at once are made one after the other, and the later one leaves the only password', async t => {
  const { watch, simulator, konnect, clientId } = await startWatchedClient(t, 0)
  const answers = await Promise.all([watch.rotate(), watch.rotate()])
  t.same(answers.map(({ status }) => status), [200, 200])
  const working = await Promise.all(answers.map(async ({ body }) => await watch.works(body.client_secret)))
  t.same(working.filter(works => works), [true])
  t.equal(ourApplications(simulator).flatMap(ourPasswords).length, 1)
  const { body: { secrets } } = await konnect('GET', `/${clientId}/secrets`)
  t.match(secrets, [{ status: 'ACTIVE' }])
  t.same(await watch.end(), [])
})

t.test('a rotation that follows while an earlier one is unproved is answered, and the oldest secret works until a newer one does', async t => {
  const { watch, secret } = await startWatchedClient(t, 10_000, LONG_GRACE)
  const first = await watch.rotate()
  const second = await watch.rotate()
  t.same([first.status, second.status], [200, 200])
  t.equal(await watch.works(secret), true)
  await watch.accepted(second.body.client_secret)
  await watch.refused(first.body.client_secret)
  t.equal(await watch.works(secret), false)
  t.same(await watch.end(), [])
})

t.test('the end of the grace of one secret does not take a later one along', async t => {
  // The second is accepted at about 4 s, the grace of the first ends at about 5.3 s, the third is accepted at about 6.5 s.
  const { watch, secret } = await startWatchedClient(t, 4_000, { ...SHORT_TIMES, SUPERSEDED_GRACE_MS: '3800' })
  const second = await watch.rotate()
  await delay(500)
  const third = await watch.rotate()
  t.same([second.status, third.status], [200, 200])
  await watch.refused(secret)
  await watch.accepted(third.body.client_secret)
  t.same(await watch.end(), [])
})

t.test('the removal of one secret by its owner does not take a superseded one along that is still needed', async t => {
  const { watch, secret, konnect, clientId } = await startWatchedClient(t, 10_000, LONG_GRACE)
  const { body: { client_secret: successor } } = await watch.rotate()
  const added = await konnect('POST', `/${clientId}/secrets`)
  t.equal(added.status, 201)
  t.equal((await konnect('DELETE', `/${clientId}/secrets/${added.body.secret_id}`)).status, 204)
  t.equal(await watch.works(secret), true)
  await watch.accepted(successor)
  await watch.refused(secret)
  t.same(await watch.end(), [])
})

t.test('F24 a rotation at the same moment as a deletion ends with neither application nor secret', async t => {
  const { watch, konnect, clientId, simulator } = await startWatchedClient(t, 0)
  const [rotation, deletion] = await Promise.all([watch.rotate(), konnect('DELETE', `/${clientId}`)])
  t.match(String(rotation.status), /^(200|404)$/)
  t.equal(deletion.status, 204)
  t.same(ourApplications(simulator), [])
  if (rotation.status === 200) t.equal(await watch.works(rotation.body.client_secret), false)
  t.equal((await watch.rotate()).status, 404)
})

t.test('a removal that fails does not fail the answer, and is made up for in the background', async t => {
  const { watch, secret, simulator } = await startWatchedClient(t, 0, SHORT_TIMES)
  const id = simulator.control.faults.add({
    match: { method: 'POST', path: '/removePassword$', times: 'always' }, action: { type: 'status', status: 500 }
  })
  const { status, body, tookMs } = await watch.rotate()
  t.equal(status, 200)
  t.ok(tookMs < DEADLINE_MS + SLACK_MS, `answered after ${tookMs} ms`)
  t.equal(await watch.works(body.client_secret), true)
  t.equal(await watch.works(secret), true, 'nothing was removed yet')
  simulator.control.faults.clear(id)
  await watch.refused(secret)
  t.same(await watch.end(), [])
})

t.test('F12 a removal that was made although its answer was lost is not taken for a failure', async t => {
  const { watch, secret, simulator, database } = await startWatchedClient(t, 0)
  simulator.control.faults.add({ match: { method: 'POST', path: '/removePassword$' }, action: { type: 'reset' }, when: 'after' })
  t.equal((await watch.rotate()).status, 200)
  t.equal(await watch.works(secret), false)
  const { rows } = await database.query('SELECT state FROM credential ORDER BY created_at')
  t.same(rows, [{ state: 'revoked' }, { state: 'active' }])
})

t.test('F12 an addition whose answer was lost leaves one password of ours', async t => {
  const { watch, simulator } = await startWatchedClient(t, 0)
  simulator.control.faults.add({ match: { method: 'POST', path: '/addPassword$' }, action: { type: 'reset' }, when: 'after' })
  const { status, body } = await watch.rotate()
  t.equal(status, 200)
  t.equal(await watch.works(body.client_secret), true)
  t.equal(ourApplications(simulator).flatMap(ourPasswords).length, 1)
  t.same(await watch.end(), [])
})

t.test('a rotation that Entra refuses leaves the old secret and no pending one', async t => {
  const { watch, secret, simulator, database } = await startWatchedClient(t, 0)
  simulator.control.policy({ passwordsForbidden: true })
  t.equal((await watch.rotate()).status, 502)
  t.equal(await watch.works(secret), true)
  simulator.control.policy({ passwordsForbidden: false })
  t.equal((await watch.rotate()).status, 200)
  const { rows } = await database.query('SELECT state FROM credential ORDER BY created_at')
  t.same(rows, [{ state: 'revoked' }, { state: 'lost' }, { state: 'active' }])
})

t.test('a password that somebody added by hand stays through rotations, also when leftovers of ours are looked for', async t => {
  const { watch, simulator } = await startWatchedClient(t, 0)
  const [application] = ourApplications(simulator)
  const graph = await graphAs(simulator, simulator.broker)
  const added = await graph('POST', `/applications/${application?.id}/addPassword`, { passwordCredential: { displayName: 'by hand' } })
  t.equal(added.status, 200)
  t.equal((await watch.rotate()).status, 200)
  simulator.control.faults.add({ match: { method: 'POST', path: '/addPassword$' }, action: { type: 'reset' }, when: 'after' })
  t.equal((await watch.rotate()).status, 200)
  t.equal(await watch.works(added.body.secretText), true)
  const names = ourApplications(simulator)[0]?.passwordCredentials.map(({ displayName }) => displayName)
  t.equal(names?.length, 2)
  t.ok(names?.includes('by hand'))
})
