// How clients prove themselves at the token endpoint, and what Entra calls it when they fail.
import t from 'tap'
import { decodeJwt, exportJWK, generateKeyPair, importPKCS8, SignJWT } from 'jose'
import { selfSigned } from './self-signed.ts'
import { registeredClient, simulateTenant } from './simulated-tenant.ts'

const basic = (clientId: string, secret: string) =>
  ({ authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` })

const assertionType = { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' }
const issuedAt = Date.parse('2026-03-01T12:00:00Z') / 1000

t.test('a secret is taken by Basic, plain or form-encoded, and in the body', async t => {
  const tenant = await simulateTenant(t)
  const { clientId, clientSecret } = await registeredClient(tenant)
  const encoded = [...clientSecret].map(character => `%${character.charCodeAt(0).toString(16)}`).join('')
  for (const headers of [basic(clientId, clientSecret), basic(clientId, encoded)]) {
    t.equal((await tenant.token('v1', { resource: 'api://gateway-v1' }, headers)).status, 200)
  }
  t.equal((await tenant.token('v1', { resource: 'api://gateway-v1', client_id: clientId, client_secret: clientSecret })).status, 200)
})

t.test('every refusal has the AADSTS form and the number Entra gives it', async t => {
  const tenant = await simulateTenant(t)
  const { clientId, clientSecret } = await registeredClient(tenant)
  const client = { client_id: clientId, client_secret: clientSecret }
  const unregistered = await tenant.upsert('dcr-2', { displayName: 'Without principal' })
  const { body: password } = await tenant.graph('POST', `/applications/${unregistered.body['id']}/addPassword`, { body: {} })
  const withoutPrincipal = { client_id: String(unregistered.body['appId']), client_secret: String(password['secretText']) }
  const v1 = { resource: 'api://gateway-v1' }
  const cases = [
    [900144, 400, 'invalid_request', 'v1', { ...client, ...v1, grant_type: '' }],
    [70003, 400, 'unsupported_grant_type', 'v1', { ...client, ...v1, grant_type: 'magic' }],
    [900144, 400, 'invalid_request', 'v1', v1],
    [7000216, 401, 'invalid_client', 'v1', { ...v1, client_id: clientId }],
    [700016, 400, 'unauthorized_client', 'v1', { ...v1, client_id: 'nobody', client_secret: 'x' }],
    [7000215, 401, 'invalid_client', 'v1', { ...v1, client_id: clientId, client_secret: 'wrong' }],
    [7000229, 400, 'unauthorized_client', 'v1', { ...v1, ...withoutPrincipal }],
    [500011, 400, 'invalid_resource', 'v1', { ...client, resource: 'api://nothing' }],
    [900144, 400, 'invalid_request', 'v2', client],
    [1002012, 400, 'invalid_scope', 'v2', { ...client, scope: 'openid api://gateway-v1/.default' }],
    [70011, 400, 'invalid_scope', 'v2', { ...client, scope: 'api://gateway-v1/.default api://gateway-v2/.default' }]
  ] as const
  for (const [number, status, error, endpoint, form] of cases) {
    const answer = await tenant.token(endpoint, form, { 'client-request-id': 'c0ffee00-0000-4000-8000-000000000000' })
    t.match(answer, {
      status,
      body: {
        error,
        error_codes: [number],
        error_description: new RegExp(`^AADSTS${number}: `),
        timestamp: '2026-03-01 12:00:00Z',
        trace_id: String,
        correlation_id: 'c0ffee00-0000-4000-8000-000000000000',
        error_uri: `https://login.microsoftonline.com/error?code=${number}`
      }
    }, `AADSTS${number}`)
  }
})

t.test('a disabled principal gets no token', async t => {
  const tenant = await simulateTenant(t)
  const { clientId, clientSecret, principalId } = await registeredClient(tenant)
  await tenant.graph('PATCH', `/servicePrincipals/${principalId}`, { body: { accountEnabled: false } })
  const answer = await tenant.token('v1', { client_id: clientId, client_secret: clientSecret, resource: 'api://gateway-v1' })
  t.match(answer, { status: 400, body: { error: 'unauthorized_client', error_codes: [7000112] } })
})

t.test('a resource that requires an assignment refuses a client without a role', async t => {
  const tenant = await simulateTenant(t)
  const { clientId, clientSecret } = await registeredClient(tenant)
  const signIn = () => tenant.token('v1', { client_id: clientId, client_secret: clientSecret, resource: 'api://gateway-v1' })
  tenant.simulator.control.requireAssignment('api://gateway-v1', true)
  t.match(await signIn(), { status: 400, body: { error: 'invalid_grant', error_codes: [501051] } })
  tenant.simulator.control.assignRole(clientId, 'api://gateway-v1', 'Orders.Read')
  t.equal((await signIn()).status, 200)
})

t.test('a token request by GET is AADSTS900561, whatever is in it', async t => {
  const tenant = await simulateTenant(t)
  const { clientId, clientSecret } = await registeredClient(tenant)
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, resource: 'api://gateway-v1' })
  for (const path of ['token', 'v2.0/token']) {
    const response = await fetch(`${tenant.simulator.url}/${tenant.simulator.tenantId}/oauth2/${path}?${form}`)
    t.match({ status: response.status, body: await response.json() }, { status: 400, body: { error: 'invalid_request', error_codes: [900561] } })
  }
})

t.test('an unknown tenant is AADSTS90002', async t => {
  const { simulator } = await simulateTenant(t)
  const response = await fetch(`${simulator.url}/nowhere/oauth2/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials' }) })
  t.equal(response.status, 400)
  t.match(await response.json(), { error_codes: [90002] })
})

t.test('a client signs in with its certificate, and an assertion by another certificate or for another audience is refused', async t => {
  const tenant = await simulateTenant(t)
  const { simulator: { control, broker, tenantId, url } } = tenant
  const [registered, stranger] = [selfSigned('broker'), selfSigned('stranger')]
  const thumbprint = control.addCertificate(broker.clientId, registered.certificate)
  const signIn = async (pem: string, x5t: string, audience: string) => {
    const assertion = await new SignJWT({}).setProtectedHeader({ alg: 'PS256', 'x5t#S256': x5t }).setIssuer(broker.clientId).setSubject(broker.clientId)
      .setAudience(audience).setIssuedAt(issuedAt).setExpirationTime(issuedAt + 600).sign(await importPKCS8(pem, 'PS256'))
    return tenant.token('v1', { ...assertionType, client_assertion: assertion, client_id: broker.clientId, resource: 'api://gateway-v1' })
  }
  const endpoint = `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`
  const granted = await signIn(registered.key, thumbprint, endpoint)
  t.match(decodeJwt(String(granted.body['access_token'])), { appid: broker.clientId, appidacr: '2' })
  t.equal((await signIn(registered.key, thumbprint, `${url}/${tenantId}/oauth2/token`)).status, 200)
  t.match(await signIn(stranger.key, 'c3RyYW5nZXI', endpoint), { status: 401, body: { error_codes: [700027] } })
  t.match(await signIn(stranger.key, thumbprint, endpoint), { status: 401, body: { error_codes: [700023] } })
  t.match(await signIn(registered.key, thumbprint, 'https://elsewhere.example'), { status: 401, body: { error_codes: [700023] } })
})

t.test('a client signs in with the assertion of an issuer it trusts, and of no other subject', async t => {
  const tenant = await simulateTenant(t)
  const { control, broker } = tenant.simulator
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  control.trustFederation(broker.clientId, {
    issuer: 'https://cluster.example', subject: 'system:serviceaccount:dcr:broker', audience: 'api://AzureADTokenExchange', keys: [await exportJWK(publicKey)]
  })
  const signIn = async (subject: string) => {
    const assertion = await new SignJWT({}).setProtectedHeader({ alg: 'RS256' }).setIssuer('https://cluster.example').setSubject(subject)
      .setAudience('api://AzureADTokenExchange').setExpirationTime(issuedAt + 600).sign(privateKey)
    return tenant.token('v1', { ...assertionType, client_assertion: assertion, client_id: broker.clientId, resource: 'api://gateway-v1' })
  }
  t.equal((await signIn('system:serviceaccount:dcr:broker')).status, 200)
  t.match(await signIn('system:serviceaccount:dcr:other'), { status: 401, body: { error: 'invalid_client', error_codes: [700213] } })
})
