// Konnect's Verify clients are ended after a day; clients that were never linked only where an operator says so, and only where hooks come at all.
import t from 'tap'
import { SECOND_KONNECT_KEY } from '../support/broker.ts'
import { ourObjectCount } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { forgetLongAgo, startReconciling, type Reconciling } from './reconciling.ts'

t.jobs = 2

const age = async ({ database }: Reconciling, id: string, hours: number) =>
  await database.query("UPDATE registration SET activated_at = now() - $2 * interval '1 hour' WHERE id = $1", [id, hours])
const enabledOf = ({ simulator }: Reconciling, clientId: string) =>
  (simulator.control.state().servicePrincipals as Array<{ appId: string, accountEnabled: boolean }>).find(({ appId }) => appId === clientId)?.accountEnabled

t.test('a Verify client that Konnect forgot is ended after a day, deleted and purged; others are not', async t => {
  const broker = await startReconciling(t)
  const { newClient, run, stateOf, auditOf, simulator } = broker
  const [forgotten, fresh, ordinary] = [await newClient({ portal_id: 'test portal_id' }), await newClient({ portal_id: 'test portal_id' }), await newClient()]
  await age(broker, forgotten.id, 25)
  await age(broker, fresh.id, 23)
  await age(broker, ordinary.id, 10_000)
  t.match(await run({ dry_run: true }), { dry_run: { counts: { reaped: 1, disabled: 0 } } })
  t.equal(await stateOf(forgotten.id), 'active')
  t.match(await run(), { counts: { reaped: 1, disabled: 0, ended: 0 } })
  // Entra has lost the objects before the record says so.
  await eventually('it is gone for good, and the record says so', async () => ourObjectCount(simulator) === 4 && await stateOf(forgotten.id) === 'deleted')
  t.same([await stateOf(forgotten.id), await stateOf(fresh.id), await stateOf(ordinary.id)], ['deleted', 'active', 'active'])
  t.match(await auditOf('registration.verification_reaped'), [{ registration_id: forgotten.id, actor: 'broker' }])
})

t.test('VERIFICATION_CLIENT_HOURS=0 keeps them', async t => {
  const broker = await startReconciling(t, { environment: { VERIFICATION_CLIENT_HOURS: '0' } })
  const { id } = await broker.newClient({ portal_id: 'test portal_id' })
  await age(broker, id, 10_000)
  t.match(await broker.run(), { counts: { reaped: 0 } })
})

t.test('a client that was never linked is disabled after the time, and deleted after the grace', async t => {
  const broker = await startReconciling(t, { environment: { NEVER_LINKED_DAYS: '7', NEVER_LINKED_GRACE_DAYS: '3', EXPIRY_MAX_PER_RUN: '1' } })
  const { newClient, run, stateOf, auditOf, konnect, operator, database } = broker
  const [linked, first, second, young] = [await newClient(), await newClient(), await newClient(), await newClient()]
  for (const { id } of [linked, first, second]) await age(broker, id, 7 * 24 + 1)
  await age(broker, young.id, 7 * 24 - 1)
  t.match(await run(), { counts: { disabled: 0 } }, 'no hook has ever come: their absence says nothing')
  t.equal((await konnect('POST', `/${linked.clientId}/event-hook`, { event_type: 'add_registration', api_id: 'x' })).status, 200)
  t.match(await run(), { counts: { disabled: 1, ended: 0 } }, 'as many as a run may')
  t.match(await run(), { counts: { disabled: 1, ended: 0 } })
  t.match(await run(), { counts: { disabled: 0, ended: 0 } })
  t.same([await stateOf(linked.id), await stateOf(first.id), await stateOf(second.id), await stateOf(young.id)], ['active', 'disabled', 'disabled', 'active'])
  await eventually('Entra gives it no tokens', () => enabledOf(broker, first.clientId) === false)
  t.match(await auditOf('registration.never_linked'), [{ actor: 'broker' }, { actor: 'broker' }])

  await t.test('an operator who enables one gives it the whole time again', async t => {
    t.equal((await operator('POST', `/registrations/${second.id}/enable`, {})).status, 200)
    t.match(await run(), { counts: { disabled: 0 } })
    t.equal(await stateOf(second.id), 'active')
  })

  await t.test('a hook that comes within the grace is recorded and enables it', async t => {
    await database.query("UPDATE registration SET created_at = now() - interval '8 days', renewed_at = NULL WHERE id = $1", [second.id])
    t.match(await run(), { counts: { disabled: 1 } })
    await eventually('Entra gives it no tokens', () => enabledOf(broker, second.clientId) === false)
    t.equal((await konnect('POST', `/${second.clientId}/event-hook`, { event_type: 'add_registration', api_id: 'x' })).status, 200)
    t.equal(await stateOf(second.id), 'active')
    t.equal(enabledOf(broker, second.clientId), true)
    t.match(await run(), { counts: { disabled: 0, ended: 0 } })
  })

  await t.test('after the grace it is deleted, unless a hook has come', async t => {
    await database.query("UPDATE registration SET disabled_at = now() - interval '73 hours' WHERE state = 'disabled'")
    await database.query("INSERT INTO registration_event (id, registration_id, type, digest, received_at) VALUES (gen_random_uuid(), $1, 'add_registration', 'x', now())", [first.id])
    t.match(await run(), { counts: { ended: 0 } })
    await database.query('DELETE FROM registration_event WHERE registration_id = $1', [first.id])
    t.match(await run(), { counts: { ended: 1 } })
    await eventually('it is deleted', async () => await stateOf(first.id) === 'deleted')
    t.match(await auditOf('registration.never_linked_deleting'), [{ registration_id: first.id }])
  })
})

t.test('hooks of another key say nothing about a key\'s clients, and without the setting nobody is disabled', async t => {
  for (const [days, key] of [['7', SECOND_KONNECT_KEY], ['0', undefined]] as const) {
    const broker = await startReconciling(t, { environment: { NEVER_LINKED_DAYS: days } })
    const { newClient, konnect, run, database } = broker
    const linked = await newClient()
    await konnect('POST', `/${linked.clientId}/event-hook`, { event_type: 'add_registration', api_id: 'x' })
    const other = await newClient()
    if (key !== undefined) {
      await database.query('UPDATE registration SET caller_id = (SELECT id FROM caller WHERE kind = $2 AND id <> caller_id LIMIT 1) WHERE id = $1', [other.id, 'konnect'])
    }
    await age(broker, other.id, 1_000)
    t.match(await run(), { counts: { disabled: 0 } })
  }
})

t.test('where the hooks that came are not known any more, nobody is judged by their absence', async t => {
  const broker = await startReconciling(t, { environment: { NEVER_LINKED_DAYS: '7' } })
  const { newClient, konnect, run, stateOf, operator, database } = broker
  const linked = await newClient()
  await konnect('POST', `/${linked.clientId}/event-hook`, { event_type: 'add_registration', api_id: 'x' })
  const ageAll = async () => await database.query("UPDATE registration SET activated_at = now() - interval '30 days', renewed_at = CASE WHEN renewed_at IS NOT NULL THEN now() - interval '30 days' END")

  await t.test('a client that was adopted again after its row was lost', async t => {
    const lost = await forgetLongAgo(broker)
    await run()
    const { rows: [key] } = await database.query<{ caller_id: string }>('SELECT caller_id FROM registration WHERE id = $1', [linked.id])
    t.equal((await operator('POST', `/reconciliation/applications/${lost.clientId}/adopt`, { caller_id: key?.caller_id })).status, 201)
    await ageAll()
    await run()
    t.equal(await stateOf(lost.id), 'active')
  })

  await t.test('one that is older than the release after a restore', async t => {
    const [older, newer] = [await newClient(), await newClient()]
    await ageAll()
    await database.query("UPDATE reconciliation SET released_at = now() - interval '29 days'")
    await database.query("UPDATE registration SET activated_at = now() - interval '28 days' WHERE id = $1", [newer.id])
    await run()
    t.same([await stateOf(older.id), await stateOf(newer.id)], ['active', 'disabled'])
  })
})
