// Who may register at all: everybody, whoever has a token, or nobody (REGISTRATION_MODE). What is registered is managed in every mode.
import t from 'tap'
import { startTestBroker, request } from '../support/broker.ts'
import { ourApplications } from '../support/entra-truth.ts'
import { isOAuthFailure } from './failure.ts'
import { nativeClient, ownedBy, startPreparedBroker, webClient } from './prepared-broker.ts'

t.jobs = 2

const CHALLENGE = 'Bearer realm="dcr-broker"'
const METADATA = '/.well-known/oauth-authorization-server'

t.test('open registration', async t => {
  const { register, manage, mint, database, url } = await startPreparedBroker(t, {
    environment: { REGISTRATION_MODE: 'open' }, policies: { open: { tokenEndpointAuthMethods: ['none'] } }
  })

  t.test('needs no token, and whoever registered manages the client', async t => {
    const client = ownedBy(await register(nativeClient(), null))
    t.equal((await manage('GET', client.uri, client.token)).status, 200)
    t.equal((await manage('PUT', client.uri, client.token, { ...nativeClient({ client_name: 'Other' }), client_id: client.id })).body.client_name, 'Other')
    const { rows } = await database.query('SELECT c.kind FROM registration r JOIN caller c ON c.id = r.caller_id WHERE r.client_id = $1', [client.id])
    t.same(rows, [{ kind: 'anonymous' }])
  })

  t.test('has a policy of its own, which a token of another policy does not', async t => {
    isOAuthFailure(t, await register(webClient({ token_endpoint_auth_method: 'client_secret_post' }), null), 400, 'invalid_client_metadata')
    t.equal((await register(webClient({ token_endpoint_auth_method: 'client_secret_post' }))).status, 201, 'of the environment')
    t.equal((await register(webClient({ token_endpoint_auth_method: 'client_secret_post' }), (await mint()).token)).status, 201, 'minted')
  })

  t.test('refuses a token that is not valid, instead of overlooking it', async t => {
    const answer = await register(nativeClient(), 'dcr_iat_unknown')
    isOAuthFailure(t, answer, 401, 'invalid_token')
    t.equal(answer.headers.get('www-authenticate'), `${CHALLENGE}, error="invalid_token"`)
    const { token, revoke } = await mint()
    await revoke()
    isOAuthFailure(t, await register(nativeClient(), token), 401, 'invalid_token')
  })

  t.test('does not tell one registrant what another has registered, not even for the same idempotency key', async t => {
    const headers = { 'idempotency-key': 'the same' }
    const [one, other] = await Promise.all([register(nativeClient(), null, headers), register(nativeClient(), null, headers)])
    t.not(ownedBy(one).id, ownedBy(other).id)
  })

  t.test('is in the metadata', async t => {
    t.match((await request(`${url}${METADATA}`, 'GET')).body.registration_endpoint, /\/register$/)
  })
})

t.test('with tokens a registration without one is 401 with a challenge that names no error', async t => {
  const { register, simulator } = await startTestBroker(t)
  const answer = await register(nativeClient(), null)
  isOAuthFailure(t, answer, 401, 'invalid_token')
  t.equal(answer.headers.get('www-authenticate'), CHALLENGE)
  t.same(ourApplications(simulator), [])
})

t.test('where registration is disabled nobody registers, the metadata do not offer it, and management goes on', async t => {
  const first = await startTestBroker(t)
  const client = ownedBy(await first.register(webClient()))
  const { register, manage, url } = await startTestBroker(t, {
    simulator: first.simulator,
    database: first.database,
    environment: { REGISTRATION_MODE: 'disabled', ENCRYPTION_KEYRING_FILE: first.settings.keyringFile }
  })
  isOAuthFailure(t, await register(webClient()), 404, 'not_found')
  isOAuthFailure(t, await register(webClient(), null), 404, 'not_found')
  const metadata = await request(`${url}${METADATA}`, 'GET')
  t.equal(metadata.status, 200)
  t.notOk('registration_endpoint' in metadata.body)
  const read = await manage('GET', client.uri, client.token)
  t.match(read, { status: 200, body: { client_id: client.id, client_secret: client.secret } })
  const replaced = ownedBy(await manage('PUT', client.uri, client.token, { ...webClient({ client_name: 'Renamed' }), client_id: client.id }))
  t.equal(replaced.body.client_name, 'Renamed')
  t.equal((await manage('DELETE', client.uri, replaced.token)).status, 204)
  t.same(ourApplications(first.simulator), [])
})
