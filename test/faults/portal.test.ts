// F26, F27: somebody works on the broker's applications beside it. What is gone is recognised as gone, and a name in the bin is in nobody's way (promises 1 and 2).
import t from 'tap'
import { graphAs } from '../lifecycle/graph.ts'
import { konnectApplication } from '../support/broker.ts'
import { ourApplications, ourDeletedObjects, secretWorks, type EntraApplication } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { graphRefusal, isWell, startWatchedBroker, untilAnswered } from './watched-broker.ts'

t.test('changes in the portal', async t => {
  const broker = await startWatchedBroker(t)
  const { simulator, database, ledger } = broker
  const { faults, journal } = simulator.control
  const graph = await graphAs(simulator, simulator.broker)
  const konnect = async (method: string, path: string, body?: unknown) => (await untilAnswered(() => broker.konnect(method, path, body))).answer
  const stateOf = async (clientId: string) => (await database.query<{ state: string }>('SELECT state FROM registration WHERE client_id = $1', [clientId])).rows[0]?.state
  const objectOf = (clientId: string) => (ourApplications(simulator).find(({ appId }) => appId === clientId) as EntraApplication).id
  /** One that has replicated: what Entra does not show of it is not there. */
  const oldClient = async (name: string) => {
    const client = await broker.create(name)
    await database.query("UPDATE registration SET created_at = created_at - interval '1 hour' WHERE client_id = $1", [client.clientId])
    return client
  }
  const destroy = async (clientId: string, isPurged: boolean) => {
    const id = objectOf(clientId)
    ledger.noteChangeInPortal(clientId)
    await graph('DELETE', `/applications/${id}`)
    if (isPurged) for (const object of ourDeletedObjects(simulator).filter(({ appId }) => appId === clientId)) await graph('DELETE', `/directory/deletedItems/${object.id}`)
  }

  for (const { how, isPurged } of [{ how: 'deleted', isPurged: false }, { how: 'purged', isPurged: true }]) {
    await t.test(`F26 an application that somebody has ${how} makes a rotation 409, and the deletion succeeds`, async t => {
      const { clientId } = await oldClient(`To be ${how}`)
      await destroy(clientId, isPurged)
      t.match(await konnect('POST', `/${clientId}/new-secret`), { status: 409, body: { error: 'application_gone' } })
      t.equal(await stateOf(clientId), 'drifted')
      const writes = journal.entries({ method: 'POST', path: '/addPassword' }).length
      t.equal((await konnect('POST', `/${clientId}/new-secret`)).status, 409)
      t.equal((await konnect('POST', `/${clientId}/event-hook`, { event_type: 'update_application', application_name: 'x' })).status, 409)
      t.equal(journal.entries({ method: 'POST', path: '/addPassword' }).length, writes, 'Entra is not asked again')
      t.equal((await konnect('DELETE', `/${clientId}`)).status, 204)
      t.equal(await stateOf(clientId), 'deleted')
      await isWell(t, broker)
    })

    await t.test(`F26 the deletion of one that somebody has ${how} succeeds, although nobody had noticed`, async t => {
      const { clientId } = await oldClient(`To be ${how} unnoticed`)
      await destroy(clientId, isPurged)
      t.equal((await konnect('DELETE', `/${clientId}`)).status, 204)
      t.equal(await stateOf(clientId), 'deleted')
      t.equal((await konnect('POST', `/${clientId}/new-secret`)).status, 404)
      await isWell(t, broker)
    })
  }

  await t.test('F26 a secret that somebody has removed is replaced by a rotation', async t => {
    const { clientId, secret } = await oldClient('Without a secret')
    ledger.noteChangeInPortal(clientId)
    const { passwordCredentials: [password] } = ourApplications(simulator).find(({ appId }) => appId === clientId) as EntraApplication
    t.equal((await graph('POST', `/applications/${objectOf(clientId)}/removePassword`, { keyId: password?.keyId })).status, 204)
    t.equal(await secretWorks(simulator, clientId, secret), false)
    const answer = await konnect('POST', `/${clientId}/new-secret`)
    t.equal(answer.status, 200)
    t.equal(await secretWorks(simulator, clientId, answer.body.client_secret), true)
    await isWell(t, broker)
  })

  await t.test('F26 an application that somebody has renamed is rotated under that name, and named by the next change', async t => {
    const { clientId } = await oldClient('Named by Konnect')
    await graph('PATCH', `/applications/${objectOf(clientId)}`, { displayName: 'Named by hand' })
    const nameOf = () => ourApplications(simulator).find(({ appId }) => appId === clientId)?.displayName
    t.equal((await konnect('POST', `/${clientId}/new-secret`)).status, 200)
    t.equal(nameOf(), 'Named by hand')
    t.equal((await konnect('POST', `/${clientId}/event-hook`, { event_type: 'update_application', application_name: 'Named again' })).status, 200)
    t.equal(nameOf(), 'Named again')
    await isWell(t, broker)
  })

  await t.test('F27 a client with the name of one in the bin is another application', async t => {
    const first = await broker.create('Same name')
    t.equal((await konnect('DELETE', `/${first.clientId}`)).status, 204)
    t.ok(ourDeletedObjects(simulator).some(({ appId }) => appId === first.clientId))
    const second = await broker.create('Same name')
    t.not(second.clientId, first.clientId)
    t.equal(await secretWorks(simulator, second.clientId, second.secret), true)
    await isWell(t, broker)
  })

  await t.test('F27 an application in the making that lies in the bin under its unique name is restored and finished', async t => {
    const create = { method: 'PATCH', path: '/applications\\(uniqueName' }
    faults.add({ match: create, action: { type: 'reset' }, when: 'after' })
    const id = faults.add({ match: { ...create, times: 'always' }, action: graphRefusal(503, 'ServiceUnavailable') })
    const name = 'Thrown away in the making'
    t.equal((await broker.konnect('POST', '', konnectApplication({ client_name: name }))).status, 503)
    const made = ourApplications(simulator).find(({ displayName }) => displayName === name) as EntraApplication
    t.equal((await graph('DELETE', `/applications/${made.id}`)).status, 204)
    faults.clear(id)
    const { clientId, secret } = await broker.create(name)
    t.equal(clientId, made.appId)
    await eventually('it works', async () => await secretWorks(simulator, clientId, secret))
    await isWell(t, broker)
  })
})
