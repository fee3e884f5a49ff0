// F24: several hands on one client, over two replicas. They take turns, and an end wins over everything (promises 1, 3 and 7).
import t from 'tap'
import { konnectApplication, OPERATOR_KEY, request, type Answer } from '../support/broker.ts'
import { ourApplications, ourPasswords, secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { isWell, startWatchedBroker, untilAnswered, type WatchedBroker } from './watched-broker.ts'

t.test('two replicas and one client', async t => {
  // Whoever waits for another has time for it, on a busy machine as well.
  const environment = { REQUEST_DEADLINE_MS: '8000' }
  const first = await startWatchedBroker(t, { environment })
  const second = await startWatchedBroker(t, { environment }, first)
  const { simulator, database, ledger } = first
  // Long enough that they meet.
  simulator.control.lag({ latencyMs: 60 })
  const ask = async (broker: WatchedBroker, method: string, path: string, body?: unknown): Promise<Answer> =>
    (await untilAnswered(() => broker.konnect(method, path, body))).answer
  const live = (clientId: string) => ourApplications(simulator).filter(({ appId }) => appId === clientId)

  await t.test('F24 rotations at once on both replicas are made one after the other, and the last one leaves the only password', async t => {
    const { clientId, secret } = await first.create('Rotated at once')
    const answers = await Promise.all([first, second, first, second].map(broker => ask(broker, 'POST', `/${clientId}/new-secret`)))
    t.same(answers.map(({ status }) => status), [200, 200, 200, 200])
    const working = () => Promise.all([secret, ...answers.map(({ body }) => body.client_secret)].map(text => secretWorks(simulator, clientId, text)))
    await eventually('one is left', async () => (await working()).filter(works => works).length === 1)
    t.equal(live(clientId).flatMap(ourPasswords).length, 1)
    await isWell(t, first)
  })

  const isAtGraph = async (method: string, path: string) =>
    await eventually(`${method} ${path} is at Graph`, () => simulator.control.journal.entries({ method, path }).some(({ status }) => status === null))
  const slow = (method: string, path: string) => { simulator.control.faults.add({ match: { method, path }, action: { type: 'delay', ms: 700 } }) }
  type Ask = () => Promise<Answer>
  const meetings: Array<{ when: string, meet: (rotate: Ask, remove: Ask, objectId: string) => Promise<[Answer, Answer]> }> = [
    { when: 'at once', meet: async (rotate, remove) => await Promise.all([rotate(), remove()]) },
    {
      when: 'with the rotation first',
      async meet (rotate, remove, objectId) {
        slow('POST', '/addPassword$')
        const rotation = rotate()
        await isAtGraph('POST', `${objectId}/addPassword`)
        return await Promise.all([rotation, remove()])
      }
    },
    {
      when: 'with the deletion first',
      async meet (rotate, remove, objectId) {
        slow('DELETE', '/applications/')
        const deletion = remove()
        await isAtGraph('DELETE', objectId)
        return await Promise.all([rotate(), deletion])
      }
    }
  ]
  for (const { when, meet } of meetings) {
    await t.test(`F24 a rotation and a deletion, ${when}, end with neither application nor secret`, async t => {
      const { clientId } = await first.create(`Rotated and deleted, ${when}`)
      const [rotation, deletion] = await meet(
        () => ask(first, 'POST', `/${clientId}/new-secret`), () => ask(second, 'DELETE', `/${clientId}`), live(clientId)[0]?.id ?? '')
      t.match(String(rotation.status), when === 'at once' ? /^(200|404)$/ : when === 'with the rotation first' ? /^200$/ : /^404$/)
      t.equal(deletion.status, 204)
      t.same(live(clientId), [])
      if (rotation.status === 200) t.equal(await secretWorks(simulator, clientId, rotation.body.client_secret), false)
      await isWell(t, first)
    })
  }

  await t.test('F24 a change and a deletion at once end with no application', async t => {
    const { clientId } = await first.create('Changed and deleted')
    const event = { event_type: 'update_application', application_name: 'Changed' }
    const [change, deletion] = await Promise.all([ask(first, 'POST', `/${clientId}/event-hook`, event), ask(second, 'DELETE', `/${clientId}`)])
    t.match(String(change.status), /^(200|404)$/)
    t.equal(deletion.status, 204)
    t.same(live(clientId), [])
    await isWell(t, first)
  })

  await t.test('F24 a deletion while the create is under way waits for it and wins', async t => {
    const name = 'Deleted while it is made'
    simulator.control.faults.add({ match: { method: 'POST', path: '/addPassword$' }, action: { type: 'delay', ms: 500 } })
    const creating = ask(first, 'POST', '', konnectApplication({ client_name: name }))
    const clientId = await eventually('the application is there', () => ourApplications(simulator).find(({ displayName }) => displayName === name)?.appId)
    const { rows: [row] } = await database.query<{ id: string, state: string }>('SELECT id, state FROM registration WHERE client_name = $1', [name])
    t.equal(row?.state, 'reserved')
    const deletion = await ledger.record('DELETE', `/by-an-operator/${clientId}`, () => request(
      `${second.operationsUrl}/v2/registrations/${row?.id}`, 'DELETE', undefined, { authorization: `Bearer ${OPERATOR_KEY}` }))
    t.equal(deletion.status, 204)
    const { status, body } = await creating
    t.equal(status, 201)
    t.equal(body.client_id, clientId)
    t.same(live(clientId), [])
    t.equal(await secretWorks(simulator, clientId, body.client_secret), false)
    await isWell(t, first)
  })

  await t.test('F24 deletions at once and one after the other succeed, and Entra deletes once', async t => {
    const { clientId } = await first.create('Deleted twice')
    const entries = () => simulator.control.journal.entries({ method: 'DELETE', path: '/applications/' }).filter(({ status }) => status === 204).length
    const before = entries()
    const answers = await Promise.all([first, second, first, second].map(broker => ask(broker, 'DELETE', `/${clientId}`)))
    answers.push(await ask(second, 'DELETE', `/${clientId}`))
    t.same(answers.map(({ status }) => status), [204, 204, 204, 204, 204])
    t.equal(entries() - before, 1)
    await isWell(t, first)
  })
})
