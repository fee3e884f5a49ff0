// Several tenants side by side: each with its own directory, tokens, throttle and metadata, on every surface; and the verification that looks into one.
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import t, { type Test } from 'tap'
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/simulator.ts'
import { selfSigned } from '../entra/self-signed.ts'
import { nativeClient, ownedBy, serviceClient, startPreparedBroker, webClient } from '../register/prepared-broker.ts'
import { KONNECT_KEY, OPERATOR_KEY, SECOND_KONNECT_KEY, konnectApplication, request, startTestBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

async function simulated (t: Test, options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options)
  t.teardown(() => simulator.close())
  return simulator
}

const issuerIn = ({ url, tenantId }: Simulator) => `${url}/${tenantId}/v2.0`
const apiOf = (operationsUrl: string) => async (method: string, path = '', body?: unknown) =>
  await request(`${operationsUrl}/v2/dcr-providers${path}`, method, body, bearer(OPERATOR_KEY))
const wantedAt = (simulator: Simulator, changes: object = {}, config: object = {}) => ({
  provider_type: 'azureAd',
  name: `p-${randomUUID()}`,
  issuer: issuerIn(simulator),
  dcr_config: { initial_client_id: simulator.broker.clientId, initial_client_secret: simulator.broker.clientSecret, ...config },
  ...changes
})
const appIdsIn = ({ control }: Simulator) => control.state().applications.map(application => (application as { appId: string }).appId)

t.test('two tenants at once', async t => {
  const broker = await startPreparedBroker(t)
  const [first, second] = [broker.simulator, await simulated(t)]
  const { url, mint, database, settings } = broker
  const api = apiOf(broker.operationsUrl)
  // With a space: it has to be encoded in addresses.
  const name = 'Azure sales'
  const path = '/t/Azure%20sales'
  const { status, body: provider } = await api('POST', '', wantedAt(second, { name }))
  t.equal(status, 201)
  await database.query("UPDATE caller SET provider_id = $1 WHERE name = 'KONNECT_API_KEYS[1]'", [provider.id])
  await api('PATCH', `/${provider.id}`, {})
  const konnect = async (key: string, method: string, path: string, body?: unknown) => await request(`${url}/konnect${path}`, method, body, { 'x-api-key': key })

  t.test('a Konnect key registers in its provider\'s tenant, and knows nothing of the other\'s clients', async t => {
    const mine = await konnect(SECOND_KONNECT_KEY, 'POST', '', konnectApplication())
    const other = await konnect(KONNECT_KEY, 'POST', '', konnectApplication())
    t.equal(mine.status, 201)
    t.ok(appIdsIn(second).includes(mine.body.client_id))
    t.notOk(appIdsIn(first).includes(mine.body.client_id))
    t.ok(appIdsIn(first).includes(other.body.client_id))
    const writes = () => [first, second].flatMap(({ control }) => control.journal.entries({ path: '/v1.0/' })).filter(({ method }) => method !== 'GET').length
    const before = writes()
    for (const [key, client] of [[KONNECT_KEY, mine], [SECOND_KONNECT_KEY, other]] as const) {
      const id = String(client.body.client_id)
      for (const [method, path] of [['POST', `/${id}/new-secret`], ['GET', `/${id}/secrets`], ['POST', `/${id}/secrets`]] as const) {
        t.equal((await konnect(key, method, path)).status, 404, `${method} ${path}`)
      }
    }
    t.equal(writes(), before, 'nothing is written to Entra')
    t.equal((await konnect(SECOND_KONNECT_KEY, 'POST', `/${mine.body.client_id}/new-secret`)).status, 200, 'positive control')
  })

  t.test('its metadata names its own cloud\'s endpoints, and clients register and manage under its name', async t => {
    const metadata = await request(`${url}/.well-known/oauth-authorization-server${path}`, 'GET')
    t.match(metadata, { status: 200, body: { token_endpoint: `${second.url}/${second.tenantId}/oauth2/v2.0/token`, issuer: `${settings.publicListener.url}${path}` } })
    t.match((await request(`${url}${path}/.well-known/openid-configuration`, 'GET')).body, { jwks_uri: new RegExp(`^${second.url}/`) })
    const { token } = await mint({ providerName: name })
    const client = ownedBy(await request(`${url}${path}/register`, 'POST', webClient({ token_endpoint_auth_method: 'client_secret_basic' }), bearer(token)))
    t.ok(appIdsIn(second).includes(client.id))
    t.ok(client.uri.startsWith(`${settings.publicListener.url}${path}/register/`))
    t.equal((await broker.manage('GET', client.uri, client.token)).status, 200)
    t.equal((await request(`${url}/register`, 'POST', nativeClient(), bearer(token))).status, 401, 'not at the default provider')
    t.match(await api('PATCH', `/${provider.id}`, { name: 'renamed' }), { status: 409, body: { detail: /1 clients hold addresses/ } })
    const live = await database.query("SELECT state FROM registration r JOIN provider p ON p.id = r.provider_id WHERE p.name = $1 AND r.surface = 'register'", [name])
    t.same(live.rows, [{ state: 'active' }])
  })

  t.test('an access token of a service counts in its own tenant, for the broker\'s application there', async t => {
    const audience = `api://${second.broker.clientId}`
    second.control.addResource({ displayName: 'Broker API', identifierUris: [audience], appRoles: ['Registration.Create'] })
    const service = second.control.addClient('Portal')
    second.control.assignRole(service.clientId, audience, 'Registration.Create')
    const response = await fetch(`${second.url}/${second.tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: service.clientId, client_secret: service.clientSecret, scope: `${audience}/.default` })
    })
    const { access_token: token } = await response.json() as { access_token: string }
    t.equal((await request(`${url}${path}/register`, 'POST', serviceClient(), bearer(token))).status, 201)
    t.equal((await request(`${url}/register`, 'POST', serviceClient(), bearer(token))).status, 401)
  })

  t.test('a tenant that throttles slows nobody else', async t => {
    const rule = second.control.faults.add({
      match: { path: '^/v1.0/', times: 'always' }, action: { type: 'status', status: 429, body: { error: { code: 'TooManyRequests', message: 'Too many' } }, headers: { 'retry-after': '300' } }
    })
    t.equal((await konnect(SECOND_KONNECT_KEY, 'POST', '', konnectApplication())).status, 503)
    const calls = second.control.journal.entries({ path: '/v1.0/' }).length
    t.equal((await konnect(SECOND_KONNECT_KEY, 'POST', '', konnectApplication())).status, 503)
    t.equal(second.control.journal.entries({ path: '/v1.0/' }).length, calls, 'it is left alone')
    t.equal((await konnect(KONNECT_KEY, 'POST', '', konnectApplication())).status, 201)
    second.control.faults.clear(rule)
  })

  t.test('another replica serves it within the catalogue\'s interval, and forgets it when it is deleted', async t => {
    const replica = await startTestBroker(t, { database, simulator: first, environment: { ENCRYPTION_KEYRING_FILE: settings.keyringFile } })
    const { body: { id, name } } = await api('POST', '', wantedAt(second))
    const { token } = await mint({ providerName: name })
    const metadata = async () => (await request(`${replica.url}/.well-known/oauth-authorization-server/t/${name}`, 'GET')).status
    await eventually('the replica serves it', async () => await metadata() === 200)
    t.equal((await request(`${replica.url}/t/${name}/register`, 'POST', nativeClient(), bearer(token))).status, 201)
    t.equal((await api('DELETE', `/${id}?force=true`)).status, 204)
    await eventually('the replica has forgotten it', async () => await metadata() === 404)
    t.equal((await request(`${url}/t/${name}/register`, 'POST', nativeClient(), bearer(token))).status, 404)
  })
})

t.test('a registration under way while its provider is deleted by force is given up and not tried again', async t => {
  const second = await simulated(t)
  const { url, database, operationsUrl } = await startTestBroker(t, { environment: { RESUME_SCAN_MS: '100', ATTEMPT_TIMEOUT_MS: '1000', LEASE_MS: '6500', REQUEST_DEADLINE_MS: '3000' } })
  const api = apiOf(operationsUrl)
  const { body: { id } } = await api('POST', '', wantedAt(second))
  await database.query("UPDATE caller SET provider_id = $1 WHERE name = 'KONNECT_API_KEYS[1]'", [id])
  await api('PATCH', `/${id}`, {})
  second.control.faults.add({ match: { path: 'servicePrincipals', times: 'always' }, action: { type: 'hang' } })
  const underWay = request(`${url}/konnect`, 'POST', konnectApplication(), { 'x-api-key': SECOND_KONNECT_KEY })
  await eventually('it is under way', () => second.control.journal.entries({ path: 'servicePrincipals' }).length > 0)
  t.equal((await api('DELETE', `/${id}?force=true`)).status, 204)
  t.equal((await underWay).status, 503)
  const rows = async () => (await database.query('SELECT state, due_at, lease_until, redeliver_until FROM registration WHERE provider_id = $1', [id])).rows
  // The caller does not wait for the run to notice.
  await eventually('the run has ended', async () => (await rows())[0]?.lease_until === null)
  t.same(await rows(), [{ state: 'undoing', due_at: null, lease_until: null, redeliver_until: null }])
})

t.test('the broker\'s credential is rotated under traffic without a failed request', async t => {
  const broker = await startTestBroker(t)
  const second = await simulated(t)
  const api = apiOf(broker.operationsUrl)
  const { body: { id } } = await api('POST', '', wantedAt(second))
  await broker.database.query("UPDATE caller SET provider_id = $1 WHERE name = 'KONNECT_API_KEYS[1]'", [id])
  await api('PATCH', `/${id}`, {})
  const statuses: number[] = []
  const konnect = async () => await request(`${broker.url}/konnect`, 'POST', konnectApplication(), { 'x-api-key': SECOND_KONNECT_KEY })
  const rotation = new AbortController()
  t.teardown(() => rotation.abort())
  const traffic = async () => {
    while (!rotation.signal.aborted) statuses.push((await konnect()).status)
  }
  const running = [traffic(), traffic()]

  const next = selfSigned()
  second.control.addCertificate(second.broker.clientId, next.certificate)
  const [former] = (await api('GET', `/${id}/credentials`)).body.data
  const added = (await api('POST', `/${id}/credentials`, { kind: 'certificate', certificate: next.key + next.certificate })).body
  t.match(await api('POST', `/${id}/credentials/${added.id}/verify`), { status: 200, body: { ok: true } })
  t.type((await api('GET', `/${id}/credentials`)).body.data[1].verified_at, 'string')
  second.control.journal.clear()
  t.match(await api('POST', `/${id}/credentials/${added.id}/activate`), { status: 200, body: { state: 'active' } })
  const asked = await eventually('a token is asked for with the certificate', () => second.control.journal.entries({ path: '/oauth2/v2.0/token' })[0])
  t.match(asked.body, { client_assertion: '[removed]' })
  t.equal((await api('DELETE', `/${id}/credentials/${former.id}`)).status, 204)
  const seen = statuses.length
  await eventually('traffic goes on', () => statuses.length > seen + 2)
  rotation.abort()
  await Promise.all(running)
  t.strictSame([...new Set(statuses)], [201])
  t.ok(statuses.length > 4, `${statuses.length} requests`)
})

t.test('a provider is proved by the platform\'s token, beside the secret of the default one', async t => {
  const second = await simulated(t)
  const tokenFile = join(t.testdir({}), 'token')
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const federation = { issuer: 'https://cluster.example', subject: 'system:serviceaccount:dcr:broker', audience: 'api://AzureADTokenExchange' }
  second.control.trustFederation(second.broker.clientId, { ...federation, keys: [{ ...await exportJWK(publicKey), alg: 'RS256' }] })
  const token = new SignJWT().setProtectedHeader({ alg: 'RS256' }).setIssuer(federation.issuer).setSubject(federation.subject).setAudience(federation.audience)
  await writeFile(tokenFile, await token.setIssuedAt().setExpirationTime('50m').sign(privateKey))
  const broker = await startTestBroker(t, { environment: { AZURE_FEDERATED_TOKEN_FILE: tokenFile } })
  const api = apiOf(broker.operationsUrl)
  const dcrConfig = { initial_client_id: second.broker.clientId, initial_client_federated: true }
  const made = await api('POST', '', { ...wantedAt(second), dcr_config: dcrConfig })
  t.match(made, { status: 201, body: { credential: { kind: 'federated', hint: null } } })
  t.match(await api('POST', `/${made.body.id}/verify`), { status: 200, body: { ok: true } })
  t.equal((await broker.konnect('POST', '', konnectApplication())).status, 201, 'the default one goes on with its secret')
})

t.test('the verification says in words what is wrong, and leaves nothing behind', async t => {
  const broker = await startTestBroker(t)
  const second = await simulated(t)
  const unpermitted = await simulated(t, { brokerRoles: [] })
  const api = apiOf(broker.operationsUrl)
  const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()
  const leftIn = ({ control }: Simulator) => JSON.stringify(control.state()).includes('dcr-verify-')
  const tokenFault = (code: number) => () => {
    second.control.faults.add({ match: { path: '/token$', times: 'always' }, action: { type: 'status', status: 401, body: { error: 'invalid_client', error_codes: [code] } } })
  }
  const policy = (changes: Parameters<Simulator['control']['policy']>[0]) => () => { second.control.policy(changes) }

  interface Case {
    of: string
    ok: boolean
    wanted?: object
    config?: object
    at?: Simulator
    before?: () => void
    finding: { check: string, outcome: string, detail: RegExp }
  }
  const cases: Case[] = [
    { of: 'all is well', ok: true, finding: { check: 'cleanup', outcome: 'passed', detail: /is gone/ } },
    { of: 'wrong tenant', ok: false, wanted: { issuer: `${second.url}/${randomUUID()}/v2.0` }, finding: { check: 'token', outcome: 'failed', detail: /^Wrong tenant: .*Check the issuer/ } },
    { of: 'invalid client id', ok: false, config: { initial_client_id: randomUUID() }, finding: { check: 'token', outcome: 'failed', detail: /^Invalid client id: .*initial_client_id/ } },
    { of: 'wrong secret', ok: false, config: { initial_client_secret: 'not~the-secret' }, finding: { check: 'token', outcome: 'failed', detail: /^The secret is wrong: .*not its id/ } },
    { of: 'expired secret', ok: false, before: tokenFault(7000222), finding: { check: 'token', outcome: 'failed', detail: /^The secret has expired/ } },
    { of: 'expired, and known to be', ok: false, before: tokenFault(7000222), config: { initial_client_secret_expires_at: inHours(-1) }, finding: { check: 'expiry', outcome: 'failed', detail: /^The credential expired on/ } },
    { of: 'no principal', ok: false, before: tokenFault(7000229), finding: { check: 'token', outcome: 'failed', detail: /^Missing consent: .*admin consent/ } },
    { of: 'another code', ok: false, before: tokenFault(50999), finding: { check: 'token', outcome: 'failed', detail: /with AADSTS50999/ } },
    { of: 'missing permission', ok: false, at: unpermitted, finding: { check: 'permission', outcome: 'failed', detail: /^Missing consent: .*Application\.ReadWrite\.OwnedBy.*admin consent/ } },
    { of: 'no passwords', ok: false, before: policy({ passwordsForbidden: true }), finding: { check: 'secret', outcome: 'failed', detail: /^A policy of the tenant forbids secrets/ } },
    { of: 'short passwords', ok: false, before: policy({ passwordsForbidden: false, maxSecretLifetimeMs: 86_400_000 }), finding: { check: 'secret', outcome: 'failed', detail: /last 730 days.*KONNECT_SECRET_LIFETIME_DAYS/ } },
    { of: 'quota', ok: false, before: policy({ maxSecretLifetimeMs: null, objectsPerCreator: 0 }), finding: { check: 'permission', outcome: 'failed', detail: /^A quota of the directory/ } },
    { of: 'a month', ok: true, before: policy({ objectsPerCreator: null }), config: { initial_client_secret_expires_at: inHours(20 * 24) }, finding: { check: 'expiry', outcome: 'warning', detail: /within 30 days/ } },
    { of: 'a week', ok: true, config: { initial_client_secret_expires_at: inHours(3 * 24) }, finding: { check: 'expiry', outcome: 'warning', detail: /within 7 days/ } },
    { of: 'a day', ok: true, config: { initial_client_secret_expires_at: inHours(20) }, finding: { check: 'expiry', outcome: 'warning', detail: /within a day/ } },
    { of: 'long', ok: true, config: { initial_client_secret_expires_at: inHours(24 * 90) }, finding: { check: 'expiry', outcome: 'passed', detail: /expires on 20/ } },
    { of: 'wrongly given', ok: true, config: { initial_client_secret_expires_at: inHours(-48) }, finding: { check: 'expiry', outcome: 'warning', detail: /given wrongly/ } },
    { of: 'lost answer', ok: true, before: () => { second.control.faults.add({ match: { method: 'PATCH', path: '/applications' }, action: { type: 'reset' }, when: 'after' }) }, finding: { check: 'permission', outcome: 'passed', detail: /./ } }
  ]
  for (const { of, ok, wanted = {}, config = {}, at = second, before, finding } of cases) {
    const { body: { id } } = await api('POST', '', wantedAt(at, wanted, config))
    before?.()
    const answer = await api('POST', `/${id}/verify`)
    t.match(answer, { status: 200, body: { ok } }, of)
    t.match(answer.body.findings.find(({ check }: { check: string }) => check === finding.check), finding, of)
    t.notOk(leftIn(at), `${of}: nothing is left`)
    t.equal((await api('GET', `/${id}`)).body.credential.verified_at !== null, ok, `${of}: verified_at`)
    second.control.faults.clear()
    t.equal((await api('DELETE', `/${id}`)).status, 204)
  }
})
