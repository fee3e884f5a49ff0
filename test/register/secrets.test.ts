// The secret of a client over its life: shown while it is valid, renewed before its end, issued and revoked with the auth method.
import t from 'tap'
import { ourPasswords } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { SHORT_WINDOW } from '../lifecycle/times.ts'
import { isOAuthFailure } from './failure.ts'
import { applicationOf, ownedBy, startPreparedBroker, tokenOutcome, webClient, type Owned, type PreparedBroker } from './prepared-broker.ts'

const DAY_SECONDS = 86_400
const publicClient = () => webClient({ token_endpoint_auth_method: 'none' })

t.jobs = 2

t.test('secrets', async t => {
  t.jobs = 4
  const broker = await startPreparedBroker(t, { policies: { brief: { secretLifetimeDays: 12 }, once: { discloseSecret: false } } })
  const { register, manage, simulator, mint } = broker
  const replace = replaceIn(broker)

  t.test('a secret that was handed out works, for as long as is said', async t => {
    const client = ownedBy(await register(webClient()))
    t.equal(await tokenOutcome(simulator, client), 'ok')
    const { client_secret_expires_at: end, client_id_issued_at: start } = client.body
    t.ok(Number.isInteger(end) && Number.isInteger(start))
    t.ok(Math.abs(end - start - 180 * DAY_SECONDS) < 60, `${end - start} seconds`)
    const password = applicationOf(simulator, client.id).passwordCredentials[0]
    t.ok(Math.abs(Date.parse(password.endDateTime) / 1000 - end) <= 1, 'in Entra too')
  })

  t.test('the policy sets how long it lives', async t => {
    const { body } = ownedBy(await register(webClient(), (await mint({ policyName: 'brief' })).token))
    t.ok(Math.abs(body.client_secret_expires_at - body.client_id_issued_at - 12 * DAY_SECONDS) < 60)
  })

  t.test('GET and PUT return it while it is valid, and not after its end', async t => {
    const client = ownedBy(await register(webClient()))
    t.equal(ownedBy(await manage('GET', client.uri, client.token)).secret, client.secret)
    t.equal(ownedBy(await replace(client)).secret, client.secret)
    await ends(broker, client, '-1 second')
    const { body } = await manage('GET', client.uri, client.token)
    t.notOk('client_secret' in body || 'client_secret_expires_at' in body)
  })

  t.test('PUT renews one that is near its end, and the older one works on', async t => {
    const client = ownedBy(await register(webClient()))
    await ends(broker, client, '31 days')
    t.equal(ownedBy(await replace(client)).secret, client.secret, 'not yet')
    await ends(broker, client, '29 days')
    const renewed = ownedBy(await replace(client))
    t.not(renewed.secret, client.secret)
    t.ok(renewed.body.client_secret_expires_at > Date.now() / 1000 + 179 * DAY_SECONDS)
    t.same([await tokenOutcome(simulator, client), await tokenOutcome(simulator, renewed)], ['ok', 'ok'])
    t.equal(ownedBy(await manage('GET', client.uri, renewed.token)).secret, renewed.secret)
    t.equal(ownedBy(await replace(client, renewed.token)).secret, renewed.secret, 'once')
  })

  t.test('PUT renews one that has ended', async t => {
    const client = ownedBy(await register(webClient()))
    await ends(broker, client, '-1 second')
    const renewed = ownedBy(await replace(client))
    t.equal(await tokenOutcome(simulator, renewed), 'ok')
  })

  t.test('a client_secret in PUT must be one that is valid; the one before a renewal is', async t => {
    const client = ownedBy(await register(webClient()))
    const other = ownedBy(await register(webClient()))
    for (const secret of ['made up', other.secret, `${client.secret}x`]) {
      const answer = await replace(client, client.token, webClient({ client_name: 'Changed', client_secret: secret }))
      isOAuthFailure(t, answer, 400, 'invalid_client_metadata')
      t.notMatch(JSON.stringify(answer.body), secret)
    }
    t.equal(applicationOf(simulator, client.id).displayName, 'Orders')
    t.equal((await replace(client, client.token, webClient({ client_secret: client.secret }))).status, 200)
    await ends(broker, client, '1 day')
    const renewed = ownedBy(await replace(client))
    t.not(renewed.secret, client.secret)
    t.equal((await replace(client, client.token, webClient({ client_secret: client.secret }))).status, 200, 'the older one')
    t.equal((await replace(client, client.token, webClient({ client_secret: renewed.secret }))).status, 200, 'the newer one')
  })

  t.test('from none to a secret: one is issued that works', async t => {
    const client = ownedBy(await register(publicClient()))
    t.equal(client.secret, undefined)
    t.same(ourPasswords(applicationOf(simulator, client.id)), [])
    const confidential = ownedBy(await replace(client))
    t.equal(await tokenOutcome(simulator, confidential), 'ok')
    t.equal(ownedBy(await manage('GET', client.uri, confidential.token)).secret, confidential.secret)
  })

  t.test('from a secret to none: it is revoked in Entra, and no answer has it', async t => {
    const client = ownedBy(await register(webClient()))
    const open = ownedBy(await replace(client, client.token, publicClient()))
    t.notOk('client_secret' in open.body || 'client_secret_expires_at' in open.body)
    t.equal(await tokenOutcome(simulator, client), 'AADSTS7000215')
    t.same(ourPasswords(applicationOf(simulator, client.id)), [])
    t.notOk('client_secret' in (await manage('GET', client.uri, open.token)).body)
    const again = ownedBy(await replace(client, open.token))
    t.not(again.secret, client.secret)
    t.equal(await tokenOutcome(simulator, again), 'ok')
  })

  t.test('between basic and post it stays the same', async t => {
    const client = ownedBy(await register(webClient()))
    const post = ownedBy(await replace(client, client.token, webClient({ token_endpoint_auth_method: 'client_secret_post' })))
    t.strictSame([post.secret, post.body.token_endpoint_auth_method], [client.secret, 'client_secret_post'])
  })

  t.test('where the policy shows it once it is in the first answer only, and is compared all the same', async t => {
    const client = ownedBy(await register(webClient(), (await mint({ policyName: 'once' })).token))
    t.equal(await tokenOutcome(simulator, client), 'ok')
    const { body } = await manage('GET', client.uri, client.token)
    t.notOk('client_secret' in body || 'client_secret_expires_at' in body)
    const replaced = ownedBy(await replace(client, client.token, webClient({ client_secret: client.secret })))
    t.equal(replaced.secret, undefined)
    isOAuthFailure(t, await replace(client, replaced.token, webClient({ client_secret: 'made up' })), 400, 'invalid_client_metadata')
  })

  t.test('where the policy shows it once, the answer that issues one shows it', async t => {
    const client = ownedBy(await register(publicClient(), (await mint({ policyName: 'once' })).token))
    const issued = ownedBy(await replace(client))
    t.equal(await tokenOutcome(simulator, issued), 'ok', 'with the auth method')
    t.notOk('client_secret' in (await manage('GET', client.uri, issued.token)).body)
    await ends(broker, client, '1 day')
    const renewed = ownedBy(await replace(client, issued.token))
    t.type(renewed.secret, 'string')
    t.equal(await tokenOutcome(simulator, renewed), 'ok', 'near its end')
    t.equal(ownedBy(await replace(client, renewed.token)).secret, undefined)
  })
})

t.test('where the policy shows it once, the holder of the previous token has lost the answer and sees it again', async t => {
  const broker = await startPreparedBroker(t, { policies: { once: { discloseSecret: false } } })
  const { register, manage, simulator, mint } = broker
  const client = ownedBy(await register(publicClient(), (await mint({ policyName: 'once' })).token))
  const lost = ownedBy(await replaceIn(broker)(client))
  const repeated = ownedBy(await replaceIn(broker)(client))
  t.equal(repeated.secret, lost.secret)
  t.equal(await tokenOutcome(simulator, repeated), 'ok')
  t.notOk('client_secret' in (await manage('GET', client.uri, repeated.token)).body, 'who uses the newer token has received it')
})

t.test('after the redelivery window the sealed copy is kept where GET shows it, and erased where the policy shows it once', async t => {
  const broker = await startPreparedBroker(t, { environment: SHORT_WINDOW, policies: { once: { discloseSecret: false } } })
  const { register, manage, database, mint } = broker
  const shown = ownedBy(await register(webClient()))
  const once = ownedBy(await register(webClient(), (await mint({ policyName: 'once' })).token))
  const sealed = async ({ id }: Owned) =>
    (await database.query('SELECT FROM credential c JOIN registration r ON r.id = c.registration_id WHERE r.client_id = $1 AND c.seal_ciphertext IS NOT NULL', [id])).rowCount
  t.same([await sealed(shown), await sealed(once)], [1, 1])
  await eventually('it is erased', async () => await sealed(once) === 0)
  t.equal(await sealed(shown), 1)
  t.equal(ownedBy(await manage('GET', shown.uri, shown.token)).secret, shown.secret)
  t.equal((await replaceIn(broker)(once, once.token, webClient({ client_secret: once.secret }))).status, 200)
})

function replaceIn ({ manage }: PreparedBroker) {
  return async ({ id, uri, token: newest }: Owned, token = newest, document = webClient()) => await manage('PUT', uri, token, { ...document, client_id: id })
}

/** As if the time had passed: every secret that the client has ends then. */
async function ends ({ database }: PreparedBroker, { id }: Owned, when: string): Promise<void> {
  await database.query(`UPDATE credential c SET expires_at = now() + $2::interval FROM registration r
    WHERE r.id = c.registration_id AND r.client_id = $1 AND c.state = 'active'`, [id, when])
}
