// F12: Entra does what it was asked and its answer gets lost. What was made is found, what was removed is known as gone (promises 1 and 3).
import t, { type Test } from 'tap'
import type { FaultAction, FaultRule } from '../../src/simulator/faults.ts'
import { ourApplications, ourDeletedObjects, ourPasswords, secretWorks, type EntraApplication } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { isWell, startWatchedBroker, untilAnswered, type WatchedBroker } from './watched-broker.ts'

interface Loss {
  broker: WatchedBroker
  /** Of the client; no other has it. */
  name: string
  /** From now on the answer to the next such write gets lost. */
  lose: () => void
}

const losses: Array<{ how: string, action: FaultAction }> = [
  { how: 'the connection was reset', action: { type: 'reset' } },
  { how: 'the answer was cut in half', action: { type: 'truncate' } },
  { how: 'the answer never came', action: { type: 'hang' } },
  { how: 'a gateway answered 504', action: { type: 'html', status: 504 } }
]
const ADD = { method: 'POST', path: '/addPassword$' }
const REMOVE = { method: 'POST', path: '/removePassword$' }
const PURGE = { method: 'DELETE', path: '/directory/deletedItems/' }

const writes: Array<{ what: string, match: FaultRule['match'], scenario: (t: Test, loss: Loss) => Promise<void> }> = [
  { what: 'an application was made', match: { method: 'PATCH', path: '/applications\\(uniqueName' }, scenario: create },
  { what: 'a principal was made', match: { method: 'PATCH', path: '/servicePrincipals\\(appId' }, scenario: create },
  { what: 'a first password was added', match: ADD, scenario: create },
  { what: 'a rotation added a password', match: ADD, scenario: rotate },
  { what: 'a superseded password was removed', match: REMOVE, scenario: rotate },
  { what: 'a password was removed for its owner', match: REMOVE, scenario: revoke },
  { what: 'an application was changed', match: { method: 'PATCH', path: '/applications/' }, scenario: rename },
  { what: 'an application was deleted', match: { method: 'DELETE', path: '/applications/' }, scenario: remove },
  { what: 'a principal was purged', match: PURGE, scenario: removeForGood },
  { what: 'an application was purged', match: { ...PURGE, skip: 1 }, scenario: removeForGood }
]

t.test('lost answers', async t => {
  const broker = await startWatchedBroker(t)
  const { faults } = broker.simulator.control
  for (const { what, match, scenario } of writes) {
    for (const { how, action } of losses) {
      await t.test(`F12 ${what} although ${how}`, async t => {
        await scenario(t, { broker, name: `${what}, ${how}`, lose: () => faults.add({ match, action, when: 'after' }) })
        t.same(faults.armed(), [], 'the answer was lost')
      })
    }
  }
  await isWell(t, broker)
})

async function create (t: Test, { broker, name, lose }: Loss): Promise<void> {
  lose()
  const { clientId, secret } = await broker.create(name)
  t.equal(await secretWorks(broker.simulator, clientId, secret), true)
  const [application, ...others] = named(broker, name)
  t.equal(application?.appId, clientId)
  t.same(others, [])
  t.equal(passwordCount(broker, name), 1)
}

async function rotate (t: Test, { broker, name, lose }: Loss): Promise<void> {
  const { clientId, secret } = await broker.create(name)
  lose()
  const { answer } = await untilAnswered(() => broker.konnect('POST', `/${clientId}/new-secret`))
  t.equal(answer.status, 200)
  t.equal(await secretWorks(broker.simulator, clientId, answer.body.client_secret), true)
  await eventually('the older one is gone', async () => !await secretWorks(broker.simulator, clientId, secret))
  t.equal(passwordCount(broker, name), 1)
}

async function revoke (t: Test, { broker, name, lose }: Loss): Promise<void> {
  const { clientId, secret } = await broker.create(name)
  const { answer: { body: added } } = await untilAnswered(() => broker.konnect('POST', `/${clientId}/secrets`))
  lose()
  const { answer } = await untilAnswered(() => broker.konnect('DELETE', `/${clientId}/secrets/${added.secret_id}`))
  t.equal(answer.status, 204)
  t.same(await Promise.all([secret, added.client_secret].map(text => secretWorks(broker.simulator, clientId, text))), [true, false])
}

async function rename (t: Test, { broker, name, lose }: Loss): Promise<void> {
  const { clientId } = await broker.create('Renamed')
  lose()
  const event = { event_type: 'update_application', application_name: name }
  const { answer } = await untilAnswered(() => broker.konnect('POST', `/${clientId}/event-hook`, event))
  t.equal(answer.status, 200)
  t.same(named(broker, name).map(({ appId }) => appId), [clientId])
}

async function remove (t: Test, { broker, name, lose }: Loss): Promise<void> {
  const { clientId, secret } = await broker.create(name)
  lose()
  const { answer } = await untilAnswered(() => broker.konnect('DELETE', `/${clientId}`))
  t.equal(answer.status, 204)
  t.same(named(broker, name), [])
  t.equal(await secretWorks(broker.simulator, clientId, secret), false)
  t.ok(ourDeletedObjects(broker.simulator).some(({ appId }) => appId === clientId), 'it can be restored')
}

// A client of Konnect's Verify button is purged as soon as it is deleted.
async function removeForGood (t: Test, { broker, name, lose }: Loss): Promise<void> {
  const { clientId } = await broker.create(name, { portal_id: 'test portal_id' })
  lose()
  const { answer } = await untilAnswered(() => broker.konnect('DELETE', `/${clientId}`))
  t.equal(answer.status, 204)
  t.same(named(broker, name), [])
  await eventually('nothing of it is left', () => !ourDeletedObjects(broker.simulator).some(({ appId }) => appId === clientId))
}

function named ({ simulator }: WatchedBroker, name: string): EntraApplication[] {
  return ourApplications(simulator).filter(({ displayName }) => displayName === name)
}

function passwordCount (broker: WatchedBroker, name: string): number {
  return named(broker, name).flatMap(ourPasswords).length
}
