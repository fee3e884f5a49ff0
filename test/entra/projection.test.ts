// What the application, its certificates and its principal look like on the way to Graph: what the broker never set stays out, what it takes back is cleared.
import t from 'tap'
import type { DirectoryApplication } from '../../src/registration/registration.ts'
import { clientId, faultOf, objectId, patience, reply, startScriptedEntra, wantedApplication, type Received, type Script } from './scripted-entra.ts'

const permission = { id: '77777777-7777-4777-8777-777777777777', type: 'Scope' } as const
const resourceAppId = '88888888-8888-4888-8888-888888888888'
const certificate = { displayName: 'key-1', der: 'MIIB', startsAt: '2026-01-01T00:00:00.000Z', endsAt: '2027-01-01T00:00:00.000Z' }
const plain = wantedApplication('r1')
const rich = wantedApplication('r1', {
  homePageUrl: 'https://orders.example/',
  termsOfServiceUrl: 'https://orders.example/terms',
  privacyStatementUrl: 'https://orders.example/privacy',
  isFallbackPublicClient: true,
  requiredResourceAccess: [{ resourceAppId, permissions: [permission] }],
  certificates: [certificate],
  federatedIdentities: [{ issuer: 'https://issuer.example', subject: 's', audience: 'a' }]
})
const richMembers = {
  web: { redirectUris: rich.redirectUris.web, homePageUrl: 'https://orders.example/' },
  info: { termsOfServiceUrl: 'https://orders.example/terms', privacyStatementUrl: 'https://orders.example/privacy' },
  isFallbackPublicClient: true,
  requiredResourceAccess: [{ resourceAppId, resourceAccess: [permission] }]
}
const emptied = wantedApplication('r1', {
  homePageUrl: '', termsOfServiceUrl: '', privacyStatementUrl: '', isFallbackPublicClient: false, requiredResourceAccess: []
})
const clearedMembers = {
  web: { redirectUris: plain.redirectUris.web, homePageUrl: null },
  info: { termsOfServiceUrl: null, privacyStatementUrl: null },
  isFallbackPublicClient: false,
  requiredResourceAccess: []
}

const bodyOf = (request: Received | undefined): Record<string, unknown> => JSON.parse(request?.body ?? '') as Record<string, unknown>
const made: Script = (_request, answer) => reply(answer, 201, { id: objectId, appId: clientId })
const taken: Script = (_request, answer) => { answer.writeHead(204).end() }

const existing: Script = ({ method }, answer) =>
  method === 'GET' ? reply(answer, 200, { id: objectId, appId: clientId }) : answer.writeHead(204).end()

const picked = (body: Record<string, unknown>, like: object): object => Object.fromEntries(Object.keys(like).map(name => [name, body[name]]))

async function create (wanted: DirectoryApplication): Promise<Record<string, unknown>> {
  const entra = await startScriptedEntra(t.teardown, { graph: made })
  await entra.directories.of('default').ensureApplication('dcr-r1', wanted, patience())
  t.match(entra.graphRequests, { length: 1, 0: { method: 'PATCH', path: "/v1.0/applications(uniqueName='dcr-r1')" } })
  return bodyOf(entra.graphRequests[0])
}

async function update (wanted: DirectoryApplication): Promise<Record<string, unknown>> {
  const entra = await startScriptedEntra(t.teardown, { graph: taken })
  await entra.directories.of('default').updateApplication(objectId, wanted, patience())
  t.match(entra.graphRequests, [{ method: 'PATCH', path: `/v1.0/applications/${objectId}` }])
  return bodyOf(entra.graphRequests[0])
}

t.test('a create carries what is wanted, and neither certificates nor federated identities', async t => {
  const body = await create(rich)
  t.strictSame(picked(body, richMembers), richMembers)
  t.notOk('keyCredentials' in body)
  t.notMatch(JSON.stringify(body), /MIIB|issuer\.example/)
})

t.test('what the broker has never set is in neither a create nor an update: somebody may have set it in the portal', async t => {
  for (const send of [create, update]) {
    t.strictSame(Object.keys(await send(plain)).sort(), [
      'api', 'description', 'displayName', 'publicClient', 'signInAudience', 'spa', 'tags', 'web'
    ], send.name)
    const body = await send({ ...plain, privacyStatementUrl: 'https://orders.example/privacy' })
    t.strictSame(body['info'], { privacyStatementUrl: 'https://orders.example/privacy' })
    t.strictSame(body['web'], { redirectUris: plain.redirectUris.web })
    for (const name of ['isFallbackPublicClient', 'requiredResourceAccess', 'keyCredentials']) t.notOk(name in body, name)
  }
})

t.test('what the broker takes back is cleared, by a create that finds the application and by an update', async t => {
  for (const send of [create, update]) t.strictSame(picked(await send(emptied), clearedMembers), clearedMembers, send.name)
})

t.test('an application that exists already is written once and then looked up', async t => {
  for (const wanted of [plain, rich, emptied]) {
    const entra = await startScriptedEntra(t.teardown, { graph: existing })
    t.strictSame(await entra.directories.of('default').ensureApplication('dcr-r1', wanted, patience()), { objectId, clientId })
    t.strictSame(entra.graphRequests.map(({ method }) => method), ['PATCH', 'GET'])
  }
})

t.test('an update sends the certificates as a whole, and an empty list once there are none', async t => {
  const body = await update(rich)
  t.match(body, richMembers)
  t.strictSame(body['keyCredentials'], [{
    type: 'AsymmetricX509Cert',
    usage: 'Verify',
    key: 'MIIB',
    displayName: 'key-1',
    startDateTime: '2026-01-01T00:00:00.000Z',
    endDateTime: '2027-01-01T00:00:00.000Z'
  }])
  t.strictSame((await update({ ...rich, certificates: [] }))['keyCredentials'], [])
})

t.test('a refused certificate is `rejected`, and its key is not in the error', async t => {
  const refused = { error: { code: 'KeyCredentialsInvalidValue', message: 'Key credential is invalid.' } }
  const entra = await startScriptedEntra(t.teardown, { graph: (_request, answer) => reply(answer, 400, refused) })
  const error = await faultOf(entra.directories.of('default').updateApplication(objectId, rich, patience()))
  t.match(error, { fault: 'rejected', outcomeUnknown: false, diagnostics: { reason: 'certificate_refused' } })
  t.notMatch(String(error.stack) + JSON.stringify(error), /MIIB/)
})

t.test('a principal is switched by its own id and by nothing else', async t => {
  const principalId = '55555555-5555-4555-8555-555555555555'
  const entra = await startScriptedEntra(t.teardown, { graph: taken })
  const directory = entra.directories.of('default')
  await directory.setEnabled(principalId, false, patience())
  await directory.setEnabled(principalId, true, patience())
  t.strictSame(entra.graphRequests.map(({ method, path, body }) => [method, path, body]), [
    ['PATCH', `/v1.0/servicePrincipals/${principalId}`, '{"accountEnabled":false}'],
    ['PATCH', `/v1.0/servicePrincipals/${principalId}`, '{"accountEnabled":true}']
  ])
  t.match(await faultOf(directory.setEnabled('../users', false, patience())), { fault: 'rejected' })
  t.equal(entra.graphRequests.length, 2)
})
