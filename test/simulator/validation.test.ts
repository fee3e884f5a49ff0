// What Entra would not store is refused with a 400 that names the property.
import t from 'tap'
import { simulateTenant } from './simulated-tenant.ts'

const guid = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const required = (resources: number, permissions: number, type = 'Scope') => Array.from({ length: resources }, (_, index) => ({
  resourceAppId: guid(index), resourceAccess: Array.from({ length: permissions }, (_, index) => ({ id: guid(index), type }))
}))

const uris = (count: number) => Array.from({ length: count }, (_, index) => `https://a.example/${index}`)

const accepted: Array<[string, object]> = [
  ['https on any host', { web: { redirectUris: ['https://a.example/cb?x=1'] } }],
  ['http on localhost', { web: { redirectUris: ['http://localhost:3000/cb'] } }],
  ['http on 127.0.0.1', { spa: { redirectUris: ['http://127.0.0.1/cb'] } }],
  ['a scheme of its own for a public client', { publicClient: { redirectUris: ['myapp://auth'] } }],
  ['a urn', { web: { redirectUris: ['urn:ietf:wg:oauth:2.0:oob'] } }],
  ['256 redirect URIs', { web: { redirectUris: uris(256) } }],
  ['256 characters of name', { displayName: 'x'.repeat(256) }],
  ['1024 characters of notes', { notes: 'x'.repeat(1024) }],
  ['null for a complex property', { web: null }],
  ['an App ID URI', { identifierUris: ['api://orders'] }],
  ['a home page', { web: { homePageUrl: 'https://a.example' } }],
  ['pages for the consent dialogue, and none', { info: { termsOfServiceUrl: 'https://a.example/tos', privacyStatementUrl: null } }],
  ['a fallback to public clients', { isFallbackPublicClient: true }],
  ['50 required resources with 8 permissions each', { requiredResourceAccess: required(50, 8) }]
]

const refused: Array<[string, object, string | null]> = [
  ['http on another host', { web: { redirectUris: ['http://a.example/cb'] } }, 'web.redirectUris'],
  ['the IPv6 loopback', { web: { redirectUris: ['http://[::1]/cb'] } }, 'web.redirectUris'],
  ['a scheme of its own for a web client', { web: { redirectUris: ['myapp://auth'] } }, 'web.redirectUris'],
  ['a urn for a single-page client', { spa: { redirectUris: ['urn:ietf:wg:oauth:2.0:oob'] } }, 'spa.redirectUris'],
  ['a relative URI', { web: { redirectUris: ['/cb'] } }, 'web.redirectUris'],
  ...[...'!$\'(),; \\'].map((character): [string, object, string] =>
    [`the character ${character}`, { web: { redirectUris: [`https://a.example/${character}`] } }, 'web.redirectUris']),
  ['257 characters', { web: { redirectUris: [`https://a.example/${'x'.repeat(239)}`] } }, 'web.redirectUris'],
  ['257 redirect URIs', { web: { redirectUris: uris(200) }, spa: { redirectUris: uris(257).slice(200) } }, 'redirectUris'],
  ['one URI on two platforms', { web: { redirectUris: uris(1) }, spa: { redirectUris: uris(1) } }, 'spa.redirectUris'],
  ['no name', { displayName: '' }, 'displayName'],
  ['257 characters of name', { displayName: 'x'.repeat(257) }, 'displayName'],
  ['1025 characters of description', { description: 'x'.repeat(1025) }, 'description'],
  ['a tag with white space', { tags: ['a b'] }, 'tags'],
  ['an empty tag', { tags: [''] }, 'tags'],
  ['a tag twice', { tags: ['a', 'a'] }, 'tags'],
  ['a string where a list belongs', { tags: 'a' }, 'tags'],
  ['null where a list belongs', { tags: null }, 'tags'],
  ['a number where a string belongs', { notes: 1 }, 'notes'],
  ['an unknown audience', { signInAudience: 'Everybody' }, 'signInAudience'],
  ['token version 3', { api: { requestedAccessTokenVersion: 3 } }, 'api.requestedAccessTokenVersion'],
  ['an App ID URI with a slash at its end', { identifierUris: ['api://orders/'] }, 'identifierUris'],
  ['a home page of another scheme', { web: { homePageUrl: 'ftp://a.example' } }, 'web.homePageUrl'],
  ['terms of service that are no URL', { info: { termsOfServiceUrl: 'here' } }, 'info.termsOfServiceUrl'],
  ['51 required resources', { requiredResourceAccess: required(51, 1) }, 'requiredResourceAccess'],
  ['401 required permissions', { requiredResourceAccess: [...required(1, 101), ...required(51, 6).slice(1)] }, 'requiredResourceAccess'],
  ['a required permission of an unknown type', { requiredResourceAccess: required(1, 1, 'scope') }, 'requiredResourceAccess'],
  ['a required permission without an id', { requiredResourceAccess: [{ resourceAppId: guid(1), resourceAccess: [{ type: 'Role' }] }] }, 'requiredResourceAccess'],
  ['a required resource that is no appId', { requiredResourceAccess: [{ ...required(1, 1)[0], resourceAppId: 'api://orders' }] }, 'requiredResourceAccess'],
  ['a required resource twice', { requiredResourceAccess: [...required(1, 1), ...required(1, 2)] }, 'requiredResourceAccess'],
  ['certificates in an upsert', { keyCredentials: [] }, null],
  ['an unknown property', { colour: 'red' }, null],
  ['an unknown member of a complex property', { web: { colour: 'red' } }, null],
  ['a member every object inherits', { constructor: {} }, null],
  ['passwords in an upsert', { passwordCredentials: [] }, null]
]

t.test('what Entra stores is stored', async t => {
  const { upsert } = await simulateTenant(t)
  for (const [what, body] of accepted) {
    t.equal((await upsert(`dcr-${what}`, { displayName: 'Orders', ...body })).status, 201, what)
  }
})

t.test('what Entra does not store is refused in a create and in an update, and changes nothing', async t => {
  const { upsert, graph } = await simulateTenant(t)
  await upsert('dcr-1', { displayName: 'Orders' })
  const before = (await graph('GET', "/applications(uniqueName='dcr-1')")).body
  for (const [what, body, target] of refused) {
    for (const name of ['dcr-1', 'dcr-new']) {
      const answer = await upsert(name, { displayName: 'Orders', ...body })
      t.match(answer, { status: 400, body: { error: { code: 'Request_BadRequest', ...(target === null ? {} : { details: [{ target }] }) } } }, what)
    }
  }
  t.same((await graph('GET', "/applications(uniqueName='dcr-1')")).body, before)
})

t.test('a create without a name is refused, an update without one is not', async t => {
  const { upsert } = await simulateTenant(t)
  t.match(await upsert('dcr-1', { tags: [] }), { status: 400, body: { error: { details: [{ target: 'displayName' }] } } })
  await upsert('dcr-1', { displayName: 'Orders' })
  t.equal((await upsert('dcr-1', { tags: ['a'] })).status, 204)
})

t.test('an App ID URI belongs to one application', async t => {
  const { upsert } = await simulateTenant(t)
  t.match(await upsert('dcr-1', { displayName: 'Orders', identifierUris: ['api://gateway-v1'] }), {
    status: 400, body: { error: { message: 'Another object with the same value for property identifierUris already exists.' } }
  })
})

t.test('a body that is no JSON object is a 400 in the form of Graph, an empty body of a DELETE is none', async t => {
  const { upsert, graph } = await simulateTenant(t)
  const { body: { id } } = await upsert('dcr-1', { displayName: 'Orders' })
  for (const body of ['{', '[]', '"x"', 'null', '']) {
    const answer = await graph('POST', '/applications', { body })
    t.match(answer, { status: 400, body: { error: { code: 'BadRequest', innerError: { date: '2026-03-01T12:00:00', 'request-id': String } } } }, body)
  }
  t.equal((await graph('DELETE', `/applications/${id}`)).status, 204)
})
