// A write that Entra made although its answer was lost is found, not made twice (promise 1).
import t, { type Test } from 'tap'
import type { FaultAction } from '../../src/simulator/faults.ts'
import { violations } from '../faults/invariants.ts'
import { konnectApplication, startTestBroker, type TestBroker } from '../support/broker.ts'
import { ourApplications, ourPasswords, secretWorks } from '../support/entra-truth.ts'
import { QUICK } from './times.ts'

const writes = [
  { what: 'application', match: { method: 'PATCH', path: '/applications\\(uniqueName' } },
  { what: 'service principal', match: { method: 'PATCH', path: '/servicePrincipals\\(appId' } },
  { what: 'password', match: { method: 'POST', path: '/addPassword$' } }
]
const losses: Array<{ how: string, action: FaultAction }> = [
  { how: 'the connection was reset', action: { type: 'reset' } },
  { how: 'the answer was cut in half', action: { type: 'truncate' } },
  { how: 'the answer never came', action: { type: 'hang' } },
  { how: 'a gateway answered 504', action: { type: 'html', status: 504 } }
]

t.test('lost answers', async t => {
  const broker = await startTestBroker(t, { environment: QUICK })
  for (const { what, match } of writes) {
    for (const { how, action } of losses) {
      await t.test(`a ${what} that Entra made although ${how} is the only one of its registration`, async t => {
        broker.simulator.control.faults.add({ match, action, when: 'after' })
        await hasOneOfEach(t, broker, `${what}, ${how}`)
      })
    }
  }
  t.same(await violations(broker), [])
})

async function hasOneOfEach (t: Test, { konnect, simulator }: TestBroker, name: string): Promise<void> {
  const { status, body } = await konnect('POST', '', konnectApplication({ client_name: name }))
  t.equal(status, 201)
  t.same(simulator.control.faults.armed(), [], 'the answer was lost')
  t.equal(await secretWorks(simulator, body.client_id, body.client_secret), true)
  const [application, ...others] = ourApplications(simulator).filter(({ displayName }) => displayName === name)
  t.equal(application?.appId, body.client_id)
  t.same(others, [])
  t.equal(application === undefined ? 0 : ourPasswords(application).length, 1)
}
