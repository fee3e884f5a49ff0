// A page in a browser (an MCP inspector, a single-page app): every request of the journey is asked for first, and its answer is readable.
import t from 'tap'
import { discovered, metadataAddresses, openBroker, signIn } from './sign-in.ts'

const origin = 'https://app.example.com'
const redirectUri = 'https://app.example.com/callback'

interface Sent {
  method: string
  headers?: Record<string, string>
  body?: unknown
}

/** As a browser's fetch: a preflight when there must be one, and nothing of an answer that the page may not read. */
async function fromPage (url: string, { method, headers = {}, body }: Sent): Promise<{ status: number, headers: (name: string) => string | null, body: any }> {
  const wanted = { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  // Fetch, "CORS-safelisted": these headers with these values need no question.
  const unsafe = Object.keys(wanted).map(name => name.toLowerCase()).filter(name => name !== 'accept').sort()
  if (unsafe.length > 0 || !['GET', 'HEAD', 'POST'].includes(method)) {
    const preflight = await fetch(url, {
      method: 'OPTIONS', headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': unsafe.join(',') }
    })
    const [allowedMethods, allowedHeaders] = ['methods', 'headers'].map(kind => listOf(preflight.headers.get(`access-control-allow-${kind}`)))
    if (!preflight.ok || !isReadable(preflight)) throw new Error(`The preflight is answered ${preflight.status}`)
    if (!allowedMethods?.includes(method.toLowerCase())) throw new Error(`${method} is not allowed`)
    const refused = unsafe.find(name => !allowedHeaders?.includes(name))
    if (refused !== undefined) throw new Error(`The header ${refused} is not allowed`)
  }
  const response = await fetch(url, { method, headers: { ...wanted, origin }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  if (!isReadable(response)) throw new Error('The page may not read the answer')
  const exposed = listOf(response.headers.get('access-control-expose-headers'))
  const text = await response.text()
  return {
    status: response.status,
    headers: name => exposed.includes(name) ? response.headers.get(name) : null,
    body: text === '' ? null : JSON.parse(text)
  }
}

function isReadable ({ headers }: Response): boolean {
  return ['*', origin].includes(headers.get('access-control-allow-origin') ?? '') && !headers.has('access-control-allow-credentials')
}

function listOf (header: string | null): string[] {
  return (header ?? '').toLowerCase().split(',').map(name => name.trim())
}

t.test('a page', async t => {
  const broker = await openBroker(t)
  const document = { client_name: 'A page', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none', entra_platform: 'spa' }

  await t.test('finds the metadata, registers, signs in, and manages its client', async t => {
    for (const address of metadataAddresses(broker.issuer)) {
      t.match(await fromPage(address, { method: 'GET', headers: { 'MCP-Protocol-Version': '2025-11-25' } }), { status: 200, body: { issuer: broker.issuer } })
    }
    const metadata = await discovered(broker.issuer)
    const { status, body, headers } = await fromPage(metadata.registration_endpoint, { method: 'POST', body: document })
    t.equal(status, 201)
    t.equal(headers('location'), body.registration_client_uri)
    t.match(await signIn({ metadata, client: body, redirectUri, scope: 'api://gateway-v2/user_impersonation', origin }), { status: 200, body: { access_token: String } })

    const address = body.registration_client_uri
    const bearer = { authorization: `Bearer ${body.registration_access_token}` }
    t.match(await fromPage(address, { method: 'GET', headers: bearer }), { status: 200, body: { client_id: body.client_id } })
    const replaced = await fromPage(address, { method: 'PUT', headers: bearer, body: { ...document, client_id: body.client_id, client_name: 'Our page' } })
    t.match(replaced, { status: 200, body: { client_name: 'Our page' } })
    t.equal((await fromPage(address, { method: 'DELETE', headers: { authorization: `Bearer ${replaced.body.registration_access_token}` } })).status, 204)
    const gone = await fromPage(address, { method: 'GET', headers: bearer })
    t.match(gone, { status: 401, body: { error: 'invalid_token' } })
    t.match(gone.headers('www-authenticate'), /error="invalid_token"/)
  })

  await t.test('can read why it is refused', async t => {
    const address = `${broker.issuer}/register`
    t.match(await fromPage(address, { method: 'POST', body: { ...document, redirect_uris: ['http://app.example.com/'] } }), { status: 400, body: { error: 'invalid_redirect_uri' } })
    t.match(await fromPage(address, { method: 'POST', headers: { authorization: 'Bearer nobody' }, body: document }), { status: 401, body: { error: 'invalid_token' } })
    t.match(await fromPage(`${broker.issuer}/.well-known/oauth-authorization-server/t/nobody`, { method: 'GET' }), { status: 404 })
  })

  await t.test('is not let at the Konnect bridge', async t => {
    await t.rejects(fromPage(`${broker.issuer}/konnect`, { method: 'POST', headers: { 'x-api-key': 'a-key' }, body: {} }), /preflight/)
  })
})
