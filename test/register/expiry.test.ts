// Expiry: by age, or by use where use is reported; disabled first, which can be turned back, and deleted after the grace (decision 10).
import t, { type Test } from 'tap'
import { konnectApplication } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { isOAuthFailure } from './failure.ts'
import { applicationOf, nativeClient, ownedBy, serviceClient, startPreparedBroker, tokenOutcome, type Owned, type PreparedBroker } from './prepared-broker.ts'

const BRISK = { SWEEP_INTERVAL_MS: '50', RESUME_SCAN_MS: '100' }
const DISABLED = 'AADSTS7000112'
const byAge = { expiry: { afterDays: 7, countedFrom: 'registration' as const, graceDays: 2 } }
const byUse = { expiry: { afterDays: 7, countedFrom: 'use' as const, graceDays: 2 } }

t.jobs = 2

t.test('expiry by age', async t => {
  t.jobs = 4
  const broker = await startPreparedBroker(t, { environment: BRISK, policies: { default: byAge, lasting: {}, shared: { ...byAge, sharePublicClients: true } } })
  const { register, manage, mint, simulator, database, konnect } = broker

  t.test('a client whose time is over is disabled, and deleted after the grace, with an audit event each', async t => {
    const client = ownedBy(await register(serviceClient()))
    t.equal(await tokenOutcome(simulator, client), 'ok')
    await isAged(broker, client, '8 days')
    await becomes(broker, client, DISABLED)
    t.equal(await stateOf(broker, client), 'disabled')
    t.ok(applicationOf(simulator, client.id), 'the application is there')
    await database.query("UPDATE registration SET disabled_at = now() - interval '3 days' WHERE client_id = $1", [client.id])
    await eventually('it is deleted', () => applicationOf(simulator, client.id) === undefined)
    isOAuthFailure(t, await manage('GET', client.uri, client.token), 401, 'invalid_token')
    const { rows } = await database.query<{ action: string, actor: string }>(`SELECT e.action, e.actor FROM audit_event e JOIN registration r ON r.id = e.registration_id
      WHERE r.client_id = $1 AND e.action LIKE 'registration.expir%' ORDER BY e.at`, [client.id])
    t.same(rows, [{ action: 'registration.expired', actor: 'broker' }, { action: 'registration.expiry_deleting', actor: 'broker' }])
  })

  t.test('the owner of a disabled client reads it, does not change it, and ends it', async t => {
    const client = ownedBy(await register(serviceClient()))
    await isAged(broker, client, '8 days')
    await becomes(broker, client, DISABLED)
    t.match(await manage('GET', client.uri, client.token), { status: 200, body: { client_id: client.id } })
    const refused = await manage('PUT', client.uri, client.token, { ...serviceClient({ client_name: 'Awake' }), client_id: client.id })
    isOAuthFailure(t, refused, 403, 'access_denied')
    t.equal(await tokenOutcome(simulator, client), DISABLED)
    t.equal((await manage('DELETE', client.uri, client.token)).status, 204)
    t.equal(applicationOf(simulator, client.id), undefined)
  })

  t.test('a client that is younger, or that its owner has updated since, is left alone', async t => {
    const newClient = async (token?: string) => ownedBy(await register(serviceClient(), token))
    const [old, young, updated, lasting] = [await newClient(), await newClient(), await newClient(), await newClient((await mint({ policyName: 'lasting' })).token)]
    await database.query("UPDATE registration SET activated_at = now() - interval '8 days', renewed_at = now() - interval '6 days' WHERE client_id = $1", [updated.id])
    await isAged(broker, young, '6 days')
    await isAged(broker, lasting, '4000 days')
    const { body: konnectClient } = await konnect('POST', '', konnectApplication())
    await isAged(broker, { id: konnectClient.client_id }, '4000 days')
    await isAged(broker, old, '8 days')
    await becomes(broker, old, DISABLED)
    for (const client of [young, updated, lasting, { id: konnectClient.client_id, secret: konnectClient.client_secret }]) {
      t.equal(await tokenOutcome(simulator, client), 'ok')
      t.equal(await stateOf(broker, client), 'active')
    }
  })

  t.test('an update in time renews the age', async t => {
    const client = ownedBy(await register(serviceClient()))
    await database.query("UPDATE registration SET activated_at = now() - interval '6 days 23 hours' WHERE client_id = $1", [client.id])
    t.equal((await manage('PUT', client.uri, client.token, { ...serviceClient(), client_id: client.id })).status, 200)
    await database.query("UPDATE registration SET activated_at = now() - interval '8 days' WHERE client_id = $1", [client.id])
    const other = ownedBy(await register(serviceClient()))
    await isAged(broker, other, '8 days')
    await becomes(broker, other, DISABLED)
    t.equal(await stateOf(broker, client), 'active')
  })

  t.test('what an operator has turned back works again', async t => {
    const client = ownedBy(await register(serviceClient()))
    await isAged(broker, client, '8 days')
    await becomes(broker, client, DISABLED)
    await database.query(`UPDATE registration SET state = 'active', account_enabled = true, disabled_at = NULL, disabled_by = NULL, renewed_at = now(),
      desired_revision = desired_revision + 1, due_at = now() WHERE client_id = $1`, [client.id])
    await becomes(broker, client, 'ok')
    t.equal((await manage('PUT', client.uri, client.token, { ...serviceClient(), client_id: client.id })).status, 200)
    t.equal(await tokenOutcome(simulator, client), 'ok')
  })

  t.test('a shared client that was disabled is not shared any more', async t => {
    const { token } = await mint({ policyName: 'shared' })
    const first = (await register(nativeClient(), token)).body.client_id
    t.equal((await register(nativeClient(), token)).body.client_id, first)
    await isAged(broker, { id: first }, '8 days')
    await eventually('it is disabled', async () => await stateOf(broker, { id: first }) === 'disabled')
    const next = await register(nativeClient(), token)
    t.equal(next.status, 201)
    t.not(next.body.client_id, first)
  })
})

t.test('a run disables and deletes no more than it may', async t => {
  const broker = await startPreparedBroker(t, { environment: { ...BRISK, SWEEP_INTERVAL_MS: '600', EXPIRY_MAX_PER_RUN: '1' }, policies: { default: byAge } })
  const { register, database } = broker
  for (let count = 0; count < 3; count++) ownedBy(await register(nativeClient()))
  await database.query("UPDATE registration SET activated_at = now() - interval '8 days'")
  await eventually('all are disabled, in Entra too', async () =>
    (await database.query("SELECT FROM registration WHERE state = 'disabled' AND NOT applied_enabled AND lease_until IS NULL")).rowCount === 3)
  await areApart(t, broker, 'registration.expired')
  await database.query("UPDATE registration SET disabled_at = now() - interval '3 days'")
  await eventually('all are deleted', async () => (await database.query("SELECT FROM registration WHERE state = 'deleted'")).rowCount === 3)
  await areApart(t, broker, 'registration.expiry_deleting')
})

t.test('by use nothing expires before a source of use is declared and has reported, and then what was not seen', async t => {
  const broker = await startPreparedBroker(t, { environment: BRISK, policies: { default: byUse, canary: byAge } })
  const { register, database, simulator } = broker
  const newClient = async () => ownedBy(await register(serviceClient()))
  const [unused, used, young] = [await newClient(), await newClient(), await newClient()]
  await isAged(broker, unused, '30 days')
  await isAged(broker, used, '30 days')
  await database.query("UPDATE registration SET last_used_at = now() - interval '3 days' WHERE client_id = $1", [used.id])
  const states = async () => [await stateOf(broker, unused), await stateOf(broker, used), await stateOf(broker, young)]

  await aRun(broker)
  t.same(await states(), ['active', 'active', 'active'], 'no source')
  await database.query("UPDATE provider SET usage_source = 'gateway' WHERE name = 'default'")
  await aRun(broker)
  t.same(await states(), ['active', 'active', 'active'], 'no report')
  await database.query("UPDATE provider SET usage_reported_at = now() - interval '29 days' WHERE name = 'default'")
  await aRun(broker)
  t.same(await states(), ['active', 'active', 'active'], 'a report that is too old')
  await database.query("UPDATE provider SET usage_reported_at = now() WHERE name = 'default'")
  await becomes(broker, unused, DISABLED)
  await aRun(broker)
  t.same(await states(), ['disabled', 'active', 'active'])
  t.equal(await tokenOutcome(simulator, used), 'ok')
})

async function isAged ({ database }: PreparedBroker, { id }: { id: string }, age: string): Promise<void> {
  await database.query('UPDATE registration SET activated_at = now() - $2::interval, renewed_at = NULL WHERE client_id = $1', [id, age])
}

async function stateOf ({ database }: PreparedBroker, { id }: { id: string }): Promise<string | undefined> {
  return (await database.query<{ state: string }>('SELECT state FROM registration WHERE client_id = $1', [id])).rows[0]?.state
}

/** In Entra, and whoever has changed it there has said so in the record. */
async function becomes ({ simulator, database }: PreparedBroker, client: Owned, outcome: string): Promise<void> {
  await eventually(`Entra says ${outcome}`, async () => await tokenOutcome(simulator, client) === outcome)
  await eventually('nobody works on it any more', async () =>
    (await database.query('SELECT FROM registration WHERE client_id = $1 AND lease_until IS NULL', [client.id])).rowCount === 1)
}

/** Resolves after a run that has seen everything before: one statement disables all whose time is over, and this client is the newest. */
async function aRun (broker: PreparedBroker): Promise<void> {
  const canary = ownedBy(await broker.register(nativeClient(), (await broker.mint({ policyName: 'canary' })).token))
  await isAged(broker, canary, '8 days')
  await eventually('a run was there', async () => await stateOf(broker, canary) === 'disabled')
}

/** Each in a run of its own: runs are at least 480 ms apart. */
async function areApart (t: Test, { database }: PreparedBroker, action: string): Promise<void> {
  const { rows } = await database.query<{ at: Date }>('SELECT at FROM audit_event WHERE action = $1 ORDER BY at', [action])
  t.equal(rows.length, 3)
  const gaps = rows.slice(1).map(({ at }, index) => at.getTime() - (rows[index]?.at.getTime() ?? 0))
  for (const gap of gaps) t.ok(gap >= 400, `${gap} ms`)
}
