// Clients without a secret of the broker: with certificates of their own, and with the tokens of another issuer.
import { X509Certificate, randomUUID } from 'node:crypto'
import { SignJWT, exportJWK, generateKeyPair, importPKCS8, type CryptoKey } from 'jose'
import * as oauth from 'oauth4webapi'
import t from 'tap'
import { startTestBroker, type TestBroker } from '../../support/broker.ts'
import { derOf, selfSigned } from '../../simulator/self-signed.ts'

const insecure = { [oauth.allowInsecureRequests]: true } as const
const document = {
  client_name: 'A service with a key',
  grant_types: ['client_credentials'],
  response_types: [],
  token_endpoint_auth_method: 'private_key_jwt'
}

interface Certified {
  key: CryptoKey
  thumbprint: string
  jwk: Record<string, unknown>
}

async function certified (name: string): Promise<Certified> {
  const { key, certificate } = selfSigned(name)
  const { publicKey, raw } = new X509Certificate(certificate)
  return {
    key: await importPKCS8(key, 'PS256'),
    thumbprint: Buffer.from(await crypto.subtle.digest('SHA-256', raw)).toString('base64url'),
    jwk: { ...await exportJWK(publicKey), kid: name, use: 'sig', x5c: [derOf(certificate)] }
  }
}

function entraOf ({ simulator }: TestBroker): oauth.AuthorizationServer {
  const base = `${simulator.url}/${simulator.tenantId}`
  return { issuer: `https://login.microsoftonline.com/${simulator.tenantId}/v2.0`, token_endpoint: `${base}/oauth2/v2.0/token` }
}

/** The claims of the access token. Rejects as the library does. */
async function tokenWith (server: oauth.AuthorizationServer, clientId: string, authentication: oauth.ClientAuth): Promise<Record<string, unknown>> {
  const client = { client_id: clientId }
  const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, { scope: 'api://gateway-v2/.default' }, insecure)
  const { access_token: token } = await oauth.processClientCredentialsResponse(server, client, response)
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

t.test('clients that sign', async t => {
  const broker = await startTestBroker(t, { isAtItsIssuer: true })
  const issuer = new URL(broker.issuer)
  const ours = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }))
  const entra = entraOf(broker)
  const [first, second] = [await certified('first'), await certified('second')]

  /** Entra finds the certificate by x5t#S256, and takes its own token endpoint as audience. */
  const signedBy = ({ key, thumbprint }: Certified) => oauth.PrivateKeyJwt(key, {
    [oauth.modifyAssertion]: (header, payload) => {
      header['x5t#S256'] = thumbprint
      payload['aud'] = ours.token_endpoint ?? null
    }
  })
  const unknownKey = { name: 'ResponseBodyError', status: 401, error: 'invalid_client', error_description: /^AADSTS700027: / }

  await t.test('a certificate in jwks signs for the client, and after PUT only the new one does', async t => {
    const { status, body } = await broker.register({ ...document, jwks: { keys: [first.jwk] } })
    t.match({ status, body }, { status: 201, body: { jwks: { keys: [first.jwk] }, token_endpoint_auth_method: 'private_key_jwt' } })
    t.notOk('client_secret' in body)
    t.match(await tokenWith(ours, body.client_id, signedBy(first)), { azp: body.client_id, azpacr: '2' })
    await t.rejects(tokenWith(ours, body.client_id, signedBy(second)), unknownKey)

    const replaced = await broker.manage('PUT', body.registration_client_uri, body.registration_access_token, {
      ...document, client_id: body.client_id, jwks: { keys: [second.jwk] }
    })
    t.match(replaced, { status: 200, body: { jwks: { keys: [second.jwk] } } })
    t.match(await tokenWith(ours, body.client_id, signedBy(second)), { azp: body.client_id, azpacr: '2' })
    await t.rejects(tokenWith(ours, body.client_id, signedBy(first)), unknownKey)
  })

  await t.test('two certificates at once let a client change its key without a gap', async t => {
    const { body } = await broker.register({ ...document, jwks: { keys: [first.jwk, second.jwk] } })
    for (const each of [first, second]) t.match(await tokenWith(ours, body.client_id, signedBy(each)), { azpacr: '2' })
  })

  await t.test('the library\'s own audience is fine with Entra\'s metadata only: it is the issuer', async t => {
    const { body } = await broker.register({ ...document, jwks: { keys: [first.jwk] } })
    const unaddressed = oauth.PrivateKeyJwt(first.key, { [oauth.modifyAssertion]: header => { header['x5t#S256'] = first.thumbprint } })
    t.match(await tokenWith(entra, body.client_id, unaddressed), { azpacr: '2' })
    await t.rejects(tokenWith(ours, body.client_id, unaddressed), { name: 'ResponseBodyError', status: 401, error: 'invalid_client' })
  })

  await t.test('a bare key and a key of another certificate are refused with a sentence', async t => {
    const { x5c, ...bare } = first.jwk
    for (const [key, sentence] of [[bare, /give its certificate in x5c/], [{ ...second.jwk, x5c }, /certificate of another key/]] as const) {
      t.match(await broker.register({ ...document, jwks: { keys: [key] } }), { status: 400, body: { error: 'invalid_client_metadata', error_description: sentence } })
    }
  })

  await t.test('a token of a registered foreign issuer stands for the client, until PUT takes it away', async t => {
    const foreign = `https://tokens.${randomUUID()}.example.com`
    const subject = 'repo:example/orders:ref:refs/heads/main'
    const { privateKey, publicKey } = await generateKeyPair('RS256')
    broker.simulator.control.federationKeys(foreign, [{ ...await exportJWK(publicKey), kid: 'f1', alg: 'RS256' }])
    const { status, body } = await broker.register({ ...document, entra_federated_identity_credentials: [{ issuer: foreign, subject }] })
    const identity = { issuer: foreign, subject, audience: 'api://AzureADTokenExchange' }
    t.match({ status, body }, { status: 201, body: { entra_federated_identity_credentials: [identity] } })
    t.notOk('client_secret' in body)

    const foreignToken = async (changes: { issuer?: string, subject?: string, audience?: string } = {}) => {
      const { issuer, subject, audience } = { ...identity, ...changes }
      return await new SignJWT().setProtectedHeader({ alg: 'RS256', kid: 'f1' }).setIssuer(issuer).setSubject(subject).setAudience(audience)
        .setIssuedAt().setExpirationTime('5 min').sign(privateKey)
    }
    const showing = (assertion: string): oauth.ClientAuth => (_server, client, form) => {
      form.set('client_id', client.client_id)
      form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
      form.set('client_assertion', assertion)
    }
    const unknownSubject = { name: 'ResponseBodyError', status: 401, error_description: /^AADSTS700213: / }
    t.match(await tokenWith(ours, body.client_id, showing(await foreignToken())), { azp: body.client_id, azpacr: '2' })
    await t.rejects(tokenWith(ours, body.client_id, showing(await foreignToken({ subject: 'repo:example/orders:pull_request' }))), unknownSubject)
    await t.rejects(tokenWith(ours, body.client_id, showing(await foreignToken({ audience: 'https://another.example.com' }))), { name: 'ResponseBodyError', status: 401, error: 'invalid_client' })

    const replaced = await broker.manage('PUT', body.registration_client_uri, body.registration_access_token, {
      ...document, client_id: body.client_id, jwks: { keys: [first.jwk] }
    })
    t.equal(replaced.status, 200)
    t.notOk('entra_federated_identity_credentials' in replaced.body)
    await t.rejects(tokenWith(ours, body.client_id, showing(await foreignToken())), unknownSubject)
    t.match(await tokenWith(ours, body.client_id, signedBy(first)), { azp: body.client_id })
  })
})
