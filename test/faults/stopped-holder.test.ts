// Promises 1 to 3 against a process that stands still (SIGSTOP) between its last look at the lease and its call to Entra, while another
// replica takes the work over: once it goes on its call arrives late, whatever it was.
import t from 'tap'
import type { Answer } from '../support/broker.ts'
import type { BrokerProcess } from '../support/broker-process.ts'
import { ourApplications, ourPasswords, secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { openCluster } from './cluster.ts'
import { armStop, standsStill } from './stop-before-call-files.ts'

const ofCreate = [
  { name: 'the application is made', call: /^PATCH .*applications\(uniqueName/ },
  { name: 'the principal is made', call: /^PATCH .*servicePrincipals\(appId/ },
  { name: 'the password is made', call: /^POST .*\/addPassword/ }
]
const ofRotation = [
  { name: 'the new password is made', call: /^POST .*\/addPassword/ },
  { name: 'the new password is tried', call: /^POST .*\/oauth2\/v2\.0\/token/ },
  { name: 'the old password is removed', call: /^POST .*\/removePassword/ }
]

t.test('F37 the holder of a lease stops before a call to Entra, another finishes, and the holder goes on', async t => {
  const holding = { preload: ['test/faults/stop-before-call'] }
  const cluster = await openCluster(t, { replicas: [{}, holding, holding, holding], environment: { SUPERSEDED_GRACE_MS: '1000' } })
  const { simulator, database, replicas: [other, ...holders] } = cluster
  if (other === undefined) throw new Error('a replica more was asked for')
  await cluster.start()
  const named = (name: string) => ourApplications(simulator).filter(({ displayName }) => displayName === name)

  /** Each holder stops before its call; the other one finishes; they go on. Resolves to what their callers get, late. */
  async function outrun (calls: typeof ofCreate, send: (holder: BrokerProcess, index: number) => Promise<Answer>): Promise<Answer[]> {
    const sent = await Promise.all(calls.map(async ({ call }, index) => {
      const holder = holders[index] as BrokerProcess
      await armStop(holder, call)
      const answer = send(holder, index)
      await standsStill(holder)
      return { answer }
    }))
    await eventually('the other one has finished everything', async () =>
      (await database.query("SELECT FROM registration WHERE lease_until > now() OR due_at < now() + interval '10 s'")).rowCount === 0, 60_000)
    for (const holder of holders) holder.goOn()
    return await Promise.all(sent.map(async ({ answer }) => await answer))
  }

  // The first request of a process asks for its token; the ones that are stopped should not.
  const clients = await Promise.all(holders.map(async (holder, index) => (await cluster.createPatiently(holder, { client_name: `Rotated ${index}` })).answer.body))

  await t.test('F37 before each call of a create: one application, and its caller gets it when he comes again', async t => {
    const answers = await outrun(ofCreate, async (holder, index) => await cluster.create(holder, { client_name: `Before ${ofCreate[index]?.name}` }))
    for (const [index, { name }] of ofCreate.entries()) {
      t.ok([201, 503].includes(answers[index]?.status ?? 0), `${name}: answered with ${answers[index]?.status}`)
      const { answer: { status, body } } = await cluster.createPatiently(other, { client_name: `Before ${name}` })
      t.equal(status, 201, name)
      t.equal(named(`Before ${name}`).length, 1, name)
      t.ok(await secretWorks(simulator, body.client_id, body.client_secret), name)
    }
  })

  await t.test('F37 before each call of a rotation: what was handed out works', async t => {
    const answers = await outrun(ofRotation, async (holder, index) => await cluster.konnect(holder, 'POST', `/${clients[index].client_id}/new-secret`))
    for (const [index, { name }] of ofRotation.entries()) {
      const { client_id: clientId, client_secret: before } = clients[index]
      const answer = answers[index]
      t.ok([200, 503].includes(answer?.status ?? 0), `${name}: answered with ${answer?.status}`)
      t.ok(await secretWorks(simulator, clientId, answer?.status === 200 ? answer.body.client_secret : before), name)
    }
  })

  t.comment(`late passwords that the check for strays has to find: ${ourApplications(simulator).filter(application => ourPasswords(application).length > 1).length}`)
  // It comes ten minutes later; here it is brought forward.
  await database.query('UPDATE registration SET stray_check_at = now(), due_at = now() WHERE stray_check_at IS NOT NULL')
  await eventually('strays have been looked for', async () =>
    (await database.query('SELECT FROM registration WHERE stray_check_at <= now() OR lease_until IS NOT NULL')).rowCount === 0)
  t.ok(ourApplications(simulator).every(application => ourPasswords(application).length === 1), 'no unknown password')
  // Who stands still answers nobody.
  t.same(await cluster.violations(Infinity), [])
})
