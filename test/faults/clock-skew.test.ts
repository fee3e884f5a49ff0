// Promises 1 to 3 on machines whose clocks are wrong: leases and due times are PostgreSQL's, dates of secrets are Graph's.
import t from 'tap'
import { ourApplications, ourPasswords, secretWorks } from '../support/entra-truth.ts'
import { openCluster, TIMES } from './cluster.ts'
import { ADD_PASSWORD, hang, stopAt } from './stops.ts'

const TEN_MINUTES_MS = 600_000
const DAY_MS = 86_400_000

const wrongBy = (ms: number) => ({ preload: ['test/faults/skewed-clock'], environment: { CLOCK_IS_WRONG_BY_MS: String(ms) } })

t.test('F34 replicas whose clocks are ten minutes fast and ten minutes slow', async t => {
  const cluster = await openCluster(t, { replicas: [wrongBy(TEN_MINUTES_MS), wrongBy(-TEN_MINUTES_MS)], environment: { SUPERSEDED_GRACE_MS: '500' } })
  const { simulator, database, replicas: [fast, slow] } = cluster
  if (fast === undefined || slow === undefined) throw new Error('two replicas were asked for')
  await cluster.start()

  await t.test('F34 their clocks are wrong indeed', async t => {
    for (const [replica, skewMs] of [[fast, TEN_MINUTES_MS], [slow, -TEN_MINUTES_MS]] as const) {
      const times = (await replica.wholeLog()).toString().split('\n').flatMap(line => /"time":"([^"]+)"/.exec(line)?.[1] ?? [])
      t.ok(Math.abs(Date.parse(times.at(-1) ?? '') - Date.now() - skewMs) < 60_000)
    }
  })

  for (const [name, replica] of [['fast', fast], ['slow', slow]] as const) {
    await t.test(`F34 a secret made by the ${name} one works at once, and the end it is said to have is Graph's`, async t => {
      const { answer: { status, body } } = await cluster.createPatiently(replica, { client_name: `Made by the ${name} one` })
      t.equal(status, 201)
      t.ok(await secretWorks(simulator, body.client_id, body.client_secret))
      const [password] = ourApplications(simulator).find(({ appId }) => appId === body.client_id)?.passwordCredentials ?? []
      const { rows: [row] } = await database.query<{ expires_at: Date }>('SELECT expires_at FROM credential WHERE key_id = $1', [password?.keyId])
      const end = Date.parse((password as { endDateTime?: string } | undefined)?.endDateTime ?? '')
      t.equal(row?.expires_at.getTime(), end)
      t.equal(Math.round((end - Date.now()) / DAY_MS), 730)
    })
  }

  await t.test('F34 a secret is rotated by either, and is never without a valid one', async t => {
    const { answer: { body: { client_id: clientId } } } = await cluster.createPatiently(fast, { client_name: 'Rotated by both' })
    for (const replica of [slow, fast]) {
      const { status, body } = await cluster.konnect(replica, 'POST', `/${clientId}/new-secret`)
      t.equal(status, 200)
      t.ok(await secretWorks(simulator, clientId, body.client_secret))
    }
  })

  await t.test('F34 what one dies over is finished by the other when the lease is over by PostgreSQL\'s clock, not before', async t => {
    // Again and again: until it is killed nothing comes of it, however long that takes.
    const reached = stopAt(cluster, { fault: { match: { ...ADD_PASSWORD, times: 'always' }, action: hang, when: 'after' } })
    const beganMs = performance.now()
    cluster.create(fast, { client_name: 'Taken over' }).catch(() => {})
    await reached
    await fast.kill()
    simulator.control.faults.clear()
    const { answer } = await cluster.createPatiently(slow, { client_name: 'Taken over' })
    t.equal(answer.status, 201)
    t.ok(performance.now() - beganMs > Number(TIMES.LEASE_MS), 'the lease began after that')
    const kin = ourApplications(simulator).filter(({ displayName }) => displayName === 'Taken over')
    t.same(kin.map(application => ourPasswords(application).length), [1])
    t.ok(await secretWorks(simulator, answer.body.client_id, answer.body.client_secret))
  })

  t.same(await cluster.violations(), [])
})
