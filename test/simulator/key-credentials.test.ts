// Certificates of an application: a PATCH replaces them all, a read shows no key, and they sign a client in.
import t from 'tap'
import { X509Certificate } from 'node:crypto'
import { importPKCS8, SignJWT } from 'jose'
import { derOf, selfSigned } from './self-signed.ts'
import { collection, registeredClient, simulateTenant } from './simulated-tenant.ts'
import type { SimulatedTenant } from './simulated-tenant.ts'
import { codeOf, redeem } from './sign-in.ts'

const issuedAt = Date.parse('2026-03-01T12:00:00Z') / 1000
const credential = (pem: string, more: object = {}) => ({ type: 'AsymmetricX509Cert', usage: 'Verify', key: derOf(pem), ...more })

/** The form members of an assertion that is signed with the key of a certificate. */
async function assertionBy ({ key, certificate }: { key: string, certificate: string }, clientId: string, { simulator }: SimulatedTenant) {
  const thumbprint = Buffer.from(new X509Certificate(certificate).fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')
  const assertion = await new SignJWT({}).setProtectedHeader({ alg: 'PS256', 'x5t#S256': thumbprint }).setIssuer(clientId).setSubject(clientId)
    .setAudience(`${simulator.url}/${simulator.tenantId}/oauth2/v2.0/token`).setIssuedAt(issuedAt).setExpirationTime(issuedAt + 600)
    .sign(await importPKCS8(key, 'PS256'))
  return { client_assertion: assertion, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' }
}

t.test('a PATCH replaces the certificates, and a read shows them without their keys', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  const path = `/applications/${objectId}`
  const set = (keyCredentials: unknown) => tenant.graph('PATCH', path, { body: { keyCredentials } })
  const read = async () => collection(await tenant.graph('GET', path), 'keyCredentials')
  const [first, second] = [selfSigned('first'), selfSigned('second')]
  t.equal((await set([credential(first.certificate, { displayName: 'One', endDateTime: '2030-01-01T00:00:00Z' })])).status, 204)
  const [shown, ...others] = await read()
  t.match(shown, {
    displayName: 'One',
    key: null,
    keyId: String,
    type: 'AsymmetricX509Cert',
    usage: 'Verify',
    customKeyIdentifier: String,
    startDateTime: '2020-01-01T00:00:00.000Z',
    endDateTime: '2030-01-01T00:00:00.000Z'
  })
  t.same(others, [])
  t.equal((await set([{ ...shown }, credential(second.certificate, { customKeyIdentifier: 'bWluZQ==' })])).status, 204)
  t.match(await read(), [{ keyId: shown?.['keyId'], displayName: 'One' }, { customKeyIdentifier: 'bWluZQ==', displayName: 'CN=second' }])
  t.equal((await set([credential(second.certificate)])).status, 204)
  t.match(await read(), [{ displayName: 'CN=second' }])
  t.equal((await read()).length, 1)
  await tenant.graph('PATCH', path, { body: { displayName: 'Renamed' } })
  t.equal((await read()).length, 1, 'a PATCH that does not name them leaves them')
  t.equal((await set([])).status, 204)
  t.same(await read(), [])
})

t.test('what is no valid certificate is refused and changes nothing', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  const { certificate } = selfSigned('client')
  await tenant.graph('PATCH', `/applications/${objectId}`, { body: { keyCredentials: [credential(certificate)] } })
  const refused: Array<[string, unknown]> = [
    ['no list', credential(certificate)],
    ['null', null],
    ['no object', ['x']],
    ['no key', [{ type: 'AsymmetricX509Cert', usage: 'Verify' }]],
    ['a key that is no certificate', [credential(certificate, { key: Buffer.from('hello').toString('base64') })]],
    ['a key that is not base64', [credential(certificate, { key: 'ö' })]],
    ['a symmetric key', [credential(certificate, { type: 'Symmetric' })]],
    ['another usage', [credential(certificate, { usage: 'Encrypt' })]],
    ['an end after the certificate\'s', [credential(certificate, { endDateTime: '2060-01-01T00:00:00Z' })]],
    ['an end in the past', [credential(certificate, { endDateTime: '2025-01-01T00:00:00Z' })]],
    ['a start before the certificate\'s', [credential(certificate, { startDateTime: '2010-01-01T00:00:00Z' })]],
    ['a time that is none', [credential(certificate, { startDateTime: 'soon' })]],
    ['an unknown member', [credential(certificate, { colour: 'red' })]],
    ['a number for a name', [credential(certificate, { displayName: 1 })]]
  ]
  for (const [what, keyCredentials] of refused) {
    const answer = await tenant.graph('PATCH', `/applications/${objectId}`, { body: { displayName: 'Changed', keyCredentials } })
    t.match(answer, { status: 400, body: { error: { code: /^(Request_BadRequest|KeyCredentialsInvalid)/ } } }, what)
  }
  t.match((await tenant.graph('GET', `/applications/${objectId}`)).body, { displayName: 'A client', keyCredentials: [{ displayName: 'CN=client' }] })
  t.equal((await tenant.upsert('dcr-1', { keyCredentials: [credential(certificate)] })).status, 400, 'an upsert takes none, not even a good one')
  t.equal((await tenant.upsert('dcr-2', { displayName: 'New', keyCredentials: [credential(certificate)] })).status, 400)
})

t.test('the caller changes the certificates of its own applications only', async t => {
  const tenant = await simulateTenant(t)
  const { clientId } = tenant.simulator.control.addClient('Somebody else\'s')
  const answer = await tenant.graph('PATCH', `/applications(appId='${clientId}')`, { body: { keyCredentials: [] } })
  t.match(answer, { status: 403, body: { error: { code: 'Authorization_RequestDenied' } } })
})

t.test('a client signs in with the certificate that is registered now, and not with the one before', async t => {
  const tenant = await simulateTenant(t)
  const redirectUri = 'https://client.example/cb'
  const { objectId, clientId } = await registeredClient(tenant, 'dcr-1', { web: { redirectUris: [redirectUri] } })
  const [before, now] = [selfSigned('before'), selfSigned('now')]
  const signIn = async (pair: { key: string, certificate: string }) =>
    tenant.token('v2', { client_id: clientId, scope: 'api://gateway-v2/.default', ...await assertionBy(pair, clientId, tenant) })
  await tenant.graph('PATCH', `/applications/${objectId}`, { body: { keyCredentials: [credential(before.certificate)] } })
  t.equal((await signIn(before)).status, 200)
  await tenant.graph('PATCH', `/applications/${objectId}`, { body: { keyCredentials: [credential(now.certificate)] } })
  t.equal((await signIn(now)).status, 200)
  t.match(await signIn(before), { status: 401, body: { error: 'invalid_client', error_codes: [700027] } })
  const code = await codeOf(tenant, { client_id: clientId, redirect_uri: redirectUri, scope: 'openid' })
  t.equal((await redeem(tenant, code, { clientId, redirectUri }, { form: await assertionBy(now, clientId, tenant) })).status, 200)
})
