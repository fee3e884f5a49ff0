// Promises 1 to 3 against a process that stands still (SIGSTOP) between its last look at the lease and its call to Entra, while another
// replica takes the work over: once it goes on its call arrives late, whatever it was.
import t from 'tap'
import type { Answer } from '../support/broker.ts'
import type { BrokerProcess } from '../support/broker-process.ts'
import { ourApplications, ourPasswords, secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { openCluster } from './cluster.ts'
import { armStop, standsStill } from './stop-before-call-files.ts'

const TOKEN_ENDPOINT = /^POST .*\/oauth2\/v2\.0\/token/
const calls = [
  { of: 'create', name: 'the application is made', call: /^PATCH .*applications\(uniqueName/ },
  { of: 'create', name: 'the principal is made', call: /^PATCH .*servicePrincipals\(appId/ },
  { of: 'create', name: 'the password is made', call: /^POST .*\/addPassword/ },
  { of: 'rotation', name: 'the new password is made', call: /^POST .*\/addPassword/ },
  { of: 'rotation', name: 'the new password is tried', call: TOKEN_ENDPOINT },
  { of: 'rotation', name: 'the old password is removed', call: /^POST .*\/removePassword/ }
]

t.test('F37 the holder of a lease stops before a call to Entra, another finishes, and the holder goes on', async t => {
  const holding = { preload: ['test/faults/stop-before-call'] }
  const cluster = await openCluster(t, { replicas: [{}, ...calls.map(() => holding)], environment: { SUPERSEDED_GRACE_MS: '1000' } })
  const { simulator, database, replicas: [other, ...holders] } = cluster
  if (other === undefined) throw new Error('a replica more was asked for')
  await cluster.start()
  const passwordsOf = (clientId: string) =>
    ourApplications(simulator).filter(({ appId }) => appId === clientId).map(application => ourPasswords(application).length)

  const first = new Map<BrokerProcess, Answer>()
  // Each process has its token and its connections, so that the call it stops before is the operation's own.
  for (const [index, holder] of holders.entries()) {
    const answer = await cluster.create(holder, { client_name: `Stopped, ${calls[index]?.name}` })
    first.set(holder, answer)
  }
  const underWay = await Promise.all(calls.map(async ({ of, call, name }, index) => {
    const holder = holders[index] as BrokerProcess
    await armStop(holder, call)
    const sent = of === 'create'
      ? cluster.create(holder, { client_name: `Stopped before ${name}` })
      : cluster.konnect(holder, 'POST', `/${first.get(holder)?.body.client_id}/new-secret`)
    await standsStill(holder)
    return { sent, holder }
  }))

  // Nobody is waited for who stands still: his leases end, and the background of the other finishes.
  await eventually('the other one has finished everything', async () =>
    (await database.query('SELECT FROM registration WHERE lease_until > now() OR due_at < now() + interval \'10 s\'')).rowCount === 0, 60_000)
  for (const { name } of calls.filter(({ of }) => of === 'create')) {
    t.equal(ourApplications(simulator).filter(({ displayName }) => displayName === `Stopped before ${name}`).length, 1, `${name}: the other one has made it`)
  }

  for (const { holder } of underWay) holder.goOn()
  const answers = await Promise.all(underWay.map(async ({ sent }) => await sent))
  for (const [index, { of, name }] of calls.entries()) {
    const answer = answers[index] as Answer
    await t.test(`F37 before ${name}, of a ${of}`, async t => {
      t.ok([200, 201, 503].includes(answer.status), `answered ${answer.status}`)
      if (of === 'create') {
        const { answer: repeat } = await cluster.createPatiently(other, { client_name: `Stopped before ${name}` })
        t.equal(repeat.status, 201)
        t.ok(await secretWorks(simulator, repeat.body.client_id, repeat.body.client_secret))
      }
      if (answer.status < 300) t.ok(await secretWorks(simulator, answer.body.client_id, answer.body.client_secret), 'what was handed out works')
    })
  }
  const strays = ourApplications(simulator).filter(application => ourPasswords(application).length > 1)
  t.comment(`late passwords that the check for strays has to find: ${strays.length}`)
  // A call that arrived late may have left a password: the check for strays, ten minutes later, is brought forward.
  await database.query('UPDATE registration SET stray_check_at = now(), due_at = now() WHERE stray_check_at IS NOT NULL')
  await eventually('strays have been looked for', async () =>
    (await database.query('SELECT FROM registration WHERE stray_check_at <= now() OR lease_until IS NOT NULL')).rowCount === 0)
  const clients = (await database.query<{ client_id: string }>("SELECT client_id FROM registration WHERE state = 'active'")).rows
  for (const { client_id: clientId } of clients) t.same(passwordsOf(clientId), [1], `${clientId}: one application, one password`)
  // Who stands still answers nobody.
  t.same(await cluster.violations(Infinity), [])
})
