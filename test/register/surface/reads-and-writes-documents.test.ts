// Documents over the wire: what is read, what is ignored, what is refused by its member's name, and how the answer is written.
import t from 'tap'
import { request } from '../../support/broker.ts'
import { eventually } from '../../support/eventually.ts'
import { someMetadata } from '../../support/records.ts'
import { CLIENT_ID, INITIAL_TOKEN, MANAGEMENT_TOKEN, PUBLIC_URL, isFailure, openSurface } from './surface.ts'

const CLIENT = `/register/${CLIENT_ID}`
const redirectUris = ['https://app.example.com/cb']

t.test('members reach the core under their meaning; null and an empty text are as good as absent', async t => {
  const { send, registered } = await openSurface(t)
  await send('POST', '/register', {
    body: {
      redirect_uris: redirectUris,
      client_name: 'Orders',
      scope: 'openid profile',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      entra_platform: 'publicClient',
      'client_name#ja': 'クライアント',
      'tos_uri#de-CH': 'https://app.example.com/agb',
      'logo_uri#fr': '',
      client_uri: '',
      logo_uri: null,
      policy_uri: 'https://app.example.com/privacy',
      contacts: ['ops@example.com'],
      software_id: 'orders'
    }
  })
  t.strictSame(registered[0]?.requested, {
    clientName: 'Orders',
    redirectUris,
    grantTypes: ['authorization_code'],
    responseTypes: ['code'],
    tokenEndpointAuthMethod: 'none',
    scope: 'openid profile',
    applicationType: 'native',
    jwks: null,
    jwksUri: null,
    entraPlatform: 'publicClient',
    federatedIdentities: null,
    members: {
      'client_name#ja': 'クライアント',
      'tos_uri#de-CH': 'https://app.example.com/agb',
      policy_uri: 'https://app.example.com/privacy',
      contacts: ['ops@example.com'],
      software_id: 'orders'
    }
  })

  await send('POST', '/register', { body: { redirect_uris: redirectUris, client_name: null, scope: '', grant_types: null, token_endpoint_auth_method: '', jwks: null, contacts: null } })
  t.match(registered[1]?.requested, { clientName: null, scope: null, grantTypes: null, tokenEndpointAuthMethod: null, jwks: null })
  t.strictSame(registered[1]?.requested.members, {})
})

t.test('unknown members, and on POST those of the server, are ignored whatever they are', async t => {
  const { send, registered } = await openSurface(t)
  const answer = await send('POST', '/register', {
    body: {
      redirect_uris: redirectUris,
      frobnicate: { a: [1] },
      'client_name#': 'x',
      'frobnicate#ja': 5,
      client_id: 5,
      client_secret: { chosen: true },
      client_id_issued_at: 'yesterday',
      client_secret_expires_at: -1,
      registration_access_token: 'mine',
      registration_client_uri: 'https://evil.example.com',
      software_statement: 'a.b.c'
    }
  })
  t.equal(answer.statusCode, 201)
  t.strictSame(registered[0]?.requested.members, {})
  t.notMatch(answer.body, /frobnicate|chosen|yesterday|mine|evil|a\.b\.c/)
})

t.test('a member of a wrong type or beyond measure is refused by its name', async t => {
  const { send, calls } = await openSurface(t)
  const cases: Array<[body: object, error: string, sentence: string]> = [
    [{ redirect_uris: 'https://app.example.com/cb' }, 'invalid_redirect_uri', 'redirect_uris must be a list of strings or null.'],
    [{ redirect_uris: [5] }, 'invalid_redirect_uri', 'redirect_uris[0] must be a string.'],
    [{ redirect_uris: [...redirectUris, null] }, 'invalid_redirect_uri', 'redirect_uris[1] must be a string.'],
    [{ redirect_uris: Array(257).fill('https://app.example.com/cb') }, 'invalid_redirect_uri', 'redirect_uris has more than 256 entries.'],
    [{ redirect_uris: [`https://app.example.com/${'x'.repeat(2_048)}`] }, 'invalid_redirect_uri', 'redirect_uris[0] is longer than 2048 characters.'],
    [{ client_name: 123 }, 'invalid_client_metadata', 'client_name must be a string or null.'],
    [{ scope: ['openid'] }, 'invalid_client_metadata', 'scope must be a string or null.'],
    [{ grant_types: 'authorization_code' }, 'invalid_client_metadata', 'grant_types must be a list of strings or null.'],
    [{ jwks: 'keys' }, 'invalid_client_metadata', 'jwks must be an object or null.'],
    [{ 'client_name#ja': 5 }, 'invalid_client_metadata', 'client_name#ja must be a string or null.'],
    [{ software_version: 'x'.repeat(2_049) }, 'invalid_client_metadata', 'software_version is longer than 2048 characters.']
  ]
  for (const [body, error, sentence] of cases) {
    const answer = await send('POST', '/register', { body: { redirect_uris: redirectUris, ...body } })
    isFailure(t, answer, 400, error, sentence)
    t.equal(answer.json().error_description, sentence)
  }
  t.notOk(calls.includes('register'))
})

t.test('the answer holds all that was registered, whole seconds, and both of each pair', async t => {
  const { send } = await openSurface(t)
  const answer = await send('POST', '/register', {
    body: { redirect_uris: redirectUris, client_name: 'Orders', 'client_name#ja': 'クライアント', contacts: ['ops@example.com'], entra_platform: 'web' }
  })
  t.strictSame(answer.json(), {
    client_name: 'Orders',
    redirect_uris: redirectUris,
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
    entra_platform: 'web',
    'client_name#ja': 'クライアント',
    contacts: ['ops@example.com'],
    client_id: CLIENT_ID,
    client_id_issued_at: Date.parse('2026-01-02T03:04:05Z') / 1_000,
    client_secret: 'secret-of-the-tests',
    client_secret_expires_at: Date.parse('2026-07-01T00:00:00Z') / 1_000,
    registration_access_token: MANAGEMENT_TOKEN,
    registration_client_uri: `${PUBLIC_URL}${CLIENT}`
  })
  t.equal(answer.headers.location, `${PUBLIC_URL}${CLIENT}`)
})

t.test('a key set and credentials of others come back as they were registered', async t => {
  const keys = [{ kty: 'RSA', n: 'n', e: 'AQAB', x5c: ['MII='], extra: { deep: [1, true, null] } }]
  const federatedIdentities = [{ issuer: 'https://issuer.example.com', subject: 's', audience: 'api://AzureADTokenExchange' }]
  const { send } = await openSurface(t, { metadata: someMetadata({ tokenEndpointAuthMethod: 'private_key_jwt', jwks: { keys }, federatedIdentities }) })
  t.match((await send('POST', '/register', { body: { redirect_uris: redirectUris } })).json(), { jwks: { keys }, entra_federated_identity_credentials: federatedIdentities })
})

t.test('a client without a secret, one whose policy hides it, and one that is shared get neither half of a pair', async t => {
  const members = (answer: object) => Object.keys(answer).filter(name => /^(client_secret|registration_)/.test(name))
  for (const client of [{ clientSecret: null, secretExpiresAt: null }, { clientSecret: null }]) {
    const { send } = await openSurface(t, { client })
    const answer = await send('POST', '/register', { body: { redirect_uris: redirectUris } })
    t.strictSame(members(answer.json()).sort(), ['registration_access_token', 'registration_client_uri'])
  }
  const { send } = await openSurface(t, { client: { managementToken: null } })
  const shared = await send('POST', '/register', { body: { redirect_uris: redirectUris } })
  t.strictSame(members(shared.json()).sort(), ['client_secret', 'client_secret_expires_at'])
  t.notOk('location' in shared.headers)
})

t.test('the address of management begins with the issuer of the provider', async t => {
  const { send } = await openSurface(t, { publicUrl: 'https://example.com/dcr' })
  const uriOf = async (url: string) => (await send('POST', url, { body: { redirect_uris: redirectUris } })).json().registration_client_uri
  t.equal(await uriOf('/register'), `https://example.com/dcr/register/${CLIENT_ID}`)
  t.equal(await uriOf('/t/sales/register'), `https://example.com/dcr/t/sales/register/${CLIENT_ID}`)
})

t.test('PUT wants its own client id and none of the members that only the server writes', async t => {
  const { send, replaced } = await openSurface(t)
  await send('POST', '/register', { body: { redirect_uris: redirectUris } })
  const put = async (body: object) => await send('PUT', CLIENT, { token: MANAGEMENT_TOKEN, body: { redirect_uris: redirectUris, ...body } })
  for (const [body, sentence] of [
    [{}, 'client_id is required: the one that was issued.'],
    [{ client_id: null }, 'client_id is required: the one that was issued.'],
    [{ client_id: '01a20951-0000-4000-8000-0000000000ff' }, 'client_id is not the client of this address.'],
    ...['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at'].map(member =>
      [{ client_id: CLIENT_ID, [member]: 0 }, `${member} must not be in the document: only the server writes it.`] as const)
  ] as const) {
    const answer = await put(body)
    isFailure(t, answer, 400, 'invalid_request', sentence)
    t.equal(answer.json().error_description, sentence)
  }
  isFailure(t, await put({ client_id: CLIENT_ID, client_secret: 5 }), 400, 'invalid_client_metadata', 'a secret that is none')
  t.strictSame(replaced, [])

  t.equal((await put({ client_id: CLIENT_ID })).statusCode, 200)
  t.equal((await put({ client_id: CLIENT_ID.toUpperCase(), client_secret: 'mine', client_name: 'New', registration_access_token: null })).statusCode, 200)
  t.match(replaced, [{ clientSecret: null, requested: { clientName: null } }, { clientSecret: 'mine', requested: { clientName: 'New' } }])
})

t.test('an idempotency key and the document make the fingerprint, whatever the order of the members', async t => {
  const { send, registered } = await openSurface(t)
  const post = async (body: object, headers: Record<string, string>, url = '/register') => await send('POST', url, { body, headers })
  await post({ redirect_uris: redirectUris, client_name: 'a' }, {})
  await post({ redirect_uris: redirectUris, client_name: 'a' }, { 'idempotency-key': 'k1' })
  await post({ client_name: 'a', redirect_uris: redirectUris }, { 'idempotency-key': 'k1' })
  await post({ redirect_uris: redirectUris, client_name: 'b' }, { 'idempotency-key': 'k1' })
  await post({ redirect_uris: redirectUris, client_name: 'a' }, { 'idempotency-key': 'k2' })
  await post({ redirect_uris: redirectUris, client_name: 'a' }, { 'idempotency-key': 'k1' }, '/t/sales/register')
  const [none, first, repeat, ...others] = registered.map(({ fingerprint }) => fingerprint)
  t.equal(none, null)
  t.match(first, /^[\w-]{43}$/)
  t.equal(repeat, first)
  t.equal(new Set([first, ...others]).size, 4)
  for (const key of ['', 'x'.repeat(256), 'kéy']) {
    isFailure(t, await post({ redirect_uris: redirectUris }, { 'idempotency-key': key }), 400, 'invalid_request', `a key of ${key.length}`)
  }
})

t.test('a key of somebody without a token means nothing', async t => {
  const { send, registered } = await openSurface(t, { mode: 'open' })
  for (const key of ['k1', 'x'.repeat(256)]) {
    t.equal((await send('POST', '/register', { token: null, body: { redirect_uris: redirectUris }, headers: { 'idempotency-key': key } })).statusCode, 201)
  }
  t.strictSame(registered.map(({ fingerprint }) => fingerprint), [null, null])
})

t.test('a dry run answers what the request would become and registers nothing', async t => {
  const { send, calls } = await openSurface(t)
  const answer = await send('POST', '/register?dry_run=true', { body: { redirect_uris: redirectUris, client_name: 'Orders', frobnicate: 1 } })
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), {
    policy: 'default',
    registered: {
      client_name: 'Orders',
      redirect_uris: redirectUris,
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic'
    },
    entra: { displayName: 'Orders', platforms: { web: redirectUris, publicClient: [], spa: [] }, requiredResourceAccess: [], grantedAccess: [] }
  })
  isFailure(t, await send('POST', '/register?dry_run=perhaps', { body: { redirect_uris: redirectUris } }), 400, 'invalid_request', 'neither')
  t.notOk(calls.includes('register'))
  t.equal((await send('POST', '/register?dry_run=false&other=1', { body: { redirect_uris: redirectUris } })).statusCode, 201)
})

t.test('what became of the answer to a registration is reported', async t => {
  const { listen, answered } = await openSurface(t)
  const url = await listen()
  const { status } = await request(`${url}/register`, 'POST', { redirect_uris: redirectUris }, { authorization: `Bearer ${INITIAL_TOKEN}` })
  t.equal(status, 201)
  await eventually('the outcome', () => answered.length > 0)
  t.strictSame(answered, ['registration-1 delivered'])
})
