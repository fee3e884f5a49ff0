// dcr-broker registrations enable.
import { v7 as uuidv7 } from 'uuid'
import t from 'tap'
import { createExpiryStore } from '../../src/store/expiry-store.ts'
import { createRegistrationStore } from '../../src/store/registration-store.ts'
import { konnectApplication, OPERATOR_KEY, startTestBroker } from '../support/broker.ts'
import { someNewRegistration } from '../support/records.ts'
import { operatorDatabase } from './operator-database.ts'
import { runHere } from './run-cli.ts'

const TIMES = { leaseMs: 1_500, attemptTimeoutMs: 100, redeliveryWindowMs: 1_000 }

t.test('a client that expiry has disabled is enabled again, and Entra is to be told', async t => {
  const { cli, json, prisma, run, query } = await operatorDatabase(t)
  const store = createRegistrationStore({ prisma, run }, TIMES, () => performance.now())
  const provider = await prisma.provider.findFirstOrThrow({ include: { strategies: true, callers: true } })
  const policy = await prisma.policy.update({ where: { name: 'default' }, data: { rules: { expiry: { afterDays: 1, countedFrom: 'registration', graceDays: 7 } } } })
  const [clientId, id] = [uuidv7(), uuidv7()]
  const owner = { providerId: provider.id, strategyId: provider.strategies[0]?.id ?? '', callerId: provider.callers[0]?.id ?? '' }
  const reservation = await store.reserve(someNewRegistration({ ...owner, id, credentialId: null, createdAt: new Date() }, { policyId: policy.id }), [])
  if (reservation.kind !== 'reserved') return t.fail('Not reserved')
  Object.assign(reservation.held.registration, { state: 'active', clientId, appliedRevision: 1, activatedAt: new Date('2026-01-01') })
  await store.save(reservation.held, { lease: { kind: 'release', dueInMs: null } })

  t.match(await cli('registrations', 'enable', clientId), { code: 1, complaints: [/is not disabled: it is active/] })
  t.equal(await createExpiryStore(prisma, TIMES).disableExpired(10), 1)
  t.strictSame(await json('registrations', 'enable', clientId.toUpperCase()), { client_id: clientId, provider: 'default', state: 'active' })
  t.match(await store.find(id), {
    state: 'active', projection: { enabled: true }, appliedEnabled: false, desiredRevision: 3, appliedRevision: 1, disabledAt: null, disabledBy: null
  })
  t.equal((await store.claimDue(10)).length, 1)
  t.equal(await createExpiryStore(prisma, TIMES).disableExpired(10), 0, 'its age has begun anew')
  t.equal((await query("SELECT FROM audit_event WHERE action = 'registration.enabled'")).rowCount, 1)
})

t.test('a client that is not there is one line', async t => {
  const { cli } = await operatorDatabase(t)
  t.match(await cli('registrations', 'enable', uuidv7()), { code: 1, stdout: '', complaints: [/There is no client/] })
  t.match(await cli('registrations', 'enable', 'x'), { code: 2 })
})

t.test('registrations of a running broker are listed, shown, disabled, resumed and deleted, by either id', async t => {
  const { konnect, operationsUrl } = await startTestBroker(t)
  const { body: { client_id: clientId } } = await konnect('POST', '', konnectApplication({ client_name: 'Orders' }))
  await konnect('POST', '', konnectApplication({ client_name: 'Weather' }))
  const run = async (...args: string[]) => await runHere(['registrations', ...args, '--url', operationsUrl], { OPERATOR_KEY })
  const parsed = async (...args: string[]): Promise<any> => JSON.parse((await run(...args, '--json')).stdout)

  t.equal((await parsed('list')).length, 2)
  t.match(await run('list', '--name', 'order'), { code: 0, stdout: /Orders +active +default +konnect/, complaints: [] })
  const [{ id }] = await parsed('list', '--name', 'order', '--limit', '1')
  t.match(await parsed('show', clientId), { id, client_id: clientId, credentials: [{ state: 'active' }] })
  t.match(await run('disable', id), { code: 0, stdout: /is disabled now/ })
  t.match(await parsed('list', '--state', 'disabled'), [{ id }])
  t.match(await run('resume', clientId), { code: 0, stdout: /is disabled now/ }, 'there is nothing to resume')
  t.match(await run('delete', clientId, '--purge'), { code: 0, stdout: /is deleted/ })
  t.equal((await parsed('show', id)).state, 'deleted')
  t.match(await run('show', uuidv7()), { code: 1, stdout: '', complaints: [/The broker answers 404/] })
  t.match(await run('list', '--state', 'odd'), { code: 1, complaints: [/answers 400: filter\[state\]\[eq\]/] })
})
