// Promise 1 against repetition, over two replicas: Konnect sends no idempotency key, so the body alone says what is a repeat.
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { ourApplications } from '../support/entra-truth.ts'
import { openCluster } from './cluster.ts'
import { ACTIVATES, SAVE } from './stops.ts'

t.test('F22 identical creates of Konnect', async t => {
  // Twenty wait for one create, on a busy machine as well.
  const cluster = await openCluster(t, { replicas: [{}, {}], environment: { REQUEST_DEADLINE_MS: '8000', ATTEMPT_TIMEOUT_MS: '2000', LEASE_MS: '7100' } })
  const { simulator, database, replicas: [one, two] } = cluster
  if (one === undefined || two === undefined) throw new Error('two replicas were asked for')
  await cluster.start()
  const applications = (name: string) => ourApplications(simulator).filter(({ displayName }) => displayName === name)
  const isMarked = async (clientId: string) => await eventually('the answer is marked as delivered', async () =>
    (await database.query("SELECT FROM registration WHERE client_id = $1 AND delivery = 'delivered'", [clientId])).rowCount === 1)

  /** Whoever comes after a delivered answer makes another one: the first is kept until all have come, however slowly. */
  const keepTheFirst = () => simulator.control.faults.add({ match: { method: 'PATCH', path: '/applications\\(uniqueName' }, action: { type: 'delay', ms: 1_500 } })

  await t.test('F22 two at once, one at each replica, get one application and one answer', async t => {
    keepTheFirst()
    const [first, second] = await Promise.all([one, two].map(replica => cluster.create(replica, { client_name: 'Two at once' })))
    t.match([first?.status, second?.status], [201, 201])
    t.same(first?.body, second?.body)
    t.equal(applications('Two at once').length, 1)
  })

  await t.test('F22 twenty at once over two replicas get one application and one answer', async t => {
    keepTheFirst()
    const answers = await Promise.all(Array.from({ length: 20 }, (_none, index) => cluster.create(index % 2 === 0 ? one : two, { client_name: 'Twenty at once' })))
    t.same(answers.map(({ status }) => status), answers.map(() => 201))
    t.equal(new Set(answers.map(({ body }) => `${body.client_id} ${body.client_secret}`)).size, 1)
    t.equal(applications('Twenty at once').length, 1)
  })

  await t.test('F22 a repeat after a 503 gets the client that was made meanwhile, at another replica too', async t => {
    const { simulator: { control } } = cluster
    control.faults.add({ match: { method: 'POST', path: '/addPassword$', times: 'always' }, action: { type: 'hang' } })
    const refused = await cluster.create(one, { client_name: 'Refused at first' })
    t.equal(refused.status, 503)
    t.ok(Number(refused.headers.get('retry-after')) > 0)
    control.faults.clear()
    const { answer } = await cluster.createPatiently(two, { client_name: 'Refused at first' })
    t.equal(answer.status, 201)
    t.equal(applications('Refused at first').length, 1)
  })

  await t.test('F22 a repeat whose answer was cut off gets the same answer at another replica', async t => {
    // The holder has committed and hears nothing of it: its caller goes away without an answer.
    const reached = cluster.proxy.hold({ statement: SAVE, parameters: new RegExp(`Cut off.*${ACTIVATES.source}|${ACTIVATES.source}.*Cut off`, 's'), side: 'after' })
    const gone = cluster.create(one, { client_name: 'Cut off' })
    await reached
    const repeat = await cluster.create(two, { client_name: 'Cut off' })
    t.equal(repeat.status, 201)
    const late = await gone
    if (late.status === 201) t.same(late.body, repeat.body)
    else t.equal(late.status, 503)
    t.equal(applications('Cut off').length, 1)
  })

  await t.test('F22 a repeat after a delivered answer is a new application, at the same replica and at another', async t => {
    const clients = new Set<string>()
    for (const replica of [one, one, two]) {
      const { status, body } = await cluster.create(replica, { client_name: 'One after another' })
      t.equal(status, 201)
      clients.add(body.client_id)
      await isMarked(body.client_id)
    }
    t.equal(clients.size, 3)
    t.equal(applications('One after another').length, 3)
  })

  await t.test('F22 another name or another developer is another application, even at the same time', async t => {
    const answers = await Promise.all([
      cluster.create(one, { client_name: 'Some name' }),
      cluster.create(two, { client_name: 'Another name' }),
      cluster.create(two, { client_name: 'Some name', developer_id: 'b1b9a4e5-8f8f-4f11-9d3b-999999999999' })
    ])
    t.same(answers.map(({ status }) => status), [201, 201, 201])
    t.equal(new Set(answers.map(({ body }) => body.client_id)).size, 3)
  })

  t.same(await cluster.violations(), [])
})
