// One call of the Directory is one attempt: nothing is repeated, everything ends with the signal, and what was surely not sent is known.
import t from 'tap'
import { createServer, type AddressInfo } from 'node:net'
import {
  brokerSecret, clientId, faultOf, keyId, objectId, patience, reply, startScriptedEntra, tokenScript, wantedApplication, type Script
} from './scripted-entra.ts'

const wanted = wantedApplication('r1')
const uniqueName = 'dcr-r1'

t.test('a create answered with 429, 503 or 504 is sent once', async t => {
  for (const status of [429, 503, 504]) {
    const entra = await startScriptedEntra(t.teardown, { graph: (_request, answer) => reply(answer, status, '', { 'retry-after': '0' }) })
    const directory = entra.directories.of('default')
    t.match(await faultOf(directory.ensureApplication(uniqueName, wanted, patience())), { fault: 'throttled' })
    await t.rejects(directory.issueSecret(objectId, 'dcr:r1:c1', new Date(), new Date(Date.now() + 1000), patience()))
    t.strictSame(entra.graphRequests.map(({ method }) => method), ['PATCH', 'POST'], `${status}`)
  }
})

t.test('a connection that is cut after the request arrived makes the outcome unknown, and nothing is sent again', async t => {
  const entra = await startScriptedEntra(t.teardown, { graph: (_request, answer) => answer.destroy() })
  const error = await faultOf(entra.directories.of('default').issueSecret(objectId, 'l', new Date(), new Date(), patience()))
  t.match(error, { fault: 'unavailable', outcomeUnknown: true })
  t.equal(entra.graphRequests.length, 1)
})

t.test('a Graph that never answers is given up when the signal aborts, with an unknown outcome for a write', async t => {
  const arrived = new AbortController()
  const entra = await startScriptedEntra(t.teardown, { graph: () => arrived.abort() })
  const write = await faultOf(entra.directories.of('default').ensurePrincipal(clientId, wanted, arrived.signal))
  t.match(write, { fault: 'unavailable', outcomeUnknown: true, diagnostics: { reason: 'ABORTED' } })
  const read = await faultOf(entra.directories.of('default').listSecrets(objectId, AbortSignal.timeout(100)))
  t.match(read, { fault: 'unavailable', outcomeUnknown: false })
})

t.test('a body that never ends is given up when the signal aborts', async t => {
  const entra = await startScriptedEntra(t.teardown, { graph: (_request, answer) => { answer.writeHead(200).write('{"passwordCredentials":') } })
  t.match(await faultOf(entra.directories.of('default').listSecrets(objectId, AbortSignal.timeout(200))), { fault: 'unavailable' })
})

t.test('a write that found no open door was surely not sent', async t => {
  const closed = createServer()
  await new Promise<void>(resolve => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise(resolve => closed.close(resolve))
  const entra = await startScriptedEntra(t.teardown, {}, { graphBaseUrl: `http://127.0.0.1:${port}` })
  const error = await faultOf(entra.directories.of('default').ensureApplication(uniqueName, wanted, patience()))
  t.match(error, { fault: 'unavailable', outcomeUnknown: false, diagnostics: { reason: 'ECONNREFUSED' } })
})

t.test('a signal that has aborted before the call keeps the write from being sent', async t => {
  const entra = await startScriptedEntra(t.teardown, {})
  const directory = entra.directories.of('default')
  await entra.directories.verify('default', patience())
  t.match(await faultOf(directory.issueSecret(objectId, 'l', new Date(), new Date(), AbortSignal.abort())), { fault: 'unavailable', outcomeUnknown: false })
  t.equal(entra.graphRequests.length, 0)
})

t.test('an answer of more than 4 MiB is cut off', async t => {
  const entra = await startScriptedEntra(t.teardown, { graph: (_request, answer) => reply(answer, 200, { passwordCredentials: ['x'.repeat(5 * 1024 * 1024)] }) })
  t.match(await faultOf(entra.directories.of('default').listSecrets(objectId, patience())), {
    fault: 'unavailable', diagnostics: { reason: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' }
  })
})

t.test('a redirect is not followed', async t => {
  const entra = await startScriptedEntra(t.teardown, { graph: (_request, answer) => reply(answer, 307, '', { location: '/elsewhere' }) })
  t.match(await faultOf(entra.directories.of('default').removeApplication(objectId, patience())), { fault: 'unavailable' })
  t.equal(entra.graphRequests.length, 1)
})

t.test('a token that Graph refuses is renewed once and the call sent once more, each attempt under an id of its own', async t => {
  const graph: Script = (request, answer) => request.headers.authorization === 'Bearer token-2'
    ? reply(answer, 200, { passwordCredentials: [] })
    : reply(answer, 401, { error: { code: 'InvalidAuthenticationToken', message: 'expired' } })
  const entra = await startScriptedEntra(t.teardown, { graph })
  t.strictSame(await entra.directories.of('default').listSecrets(objectId, patience()), [])
  t.equal(entra.tokenRequests.length, 2)
  t.equal(new Set(entra.graphRequests.map(({ headers }) => headers['client-request-id'])).size, 2)
})

t.test('F18 a Graph that refuses every token ends the call after one renewal', async t => {
  const entra = await startScriptedEntra(t.teardown, { graph: (_request, answer) => reply(answer, 401, { error: { code: 'x', message: 'no' } }) })
  t.match(await faultOf(entra.directories.of('default').listSecrets(objectId, patience())), { fault: 'unauthenticated' })
  t.equal(entra.graphRequests.length, 2)
  t.equal(entra.tokenRequests.length, 2)
})

t.test('a success whose body can\'t be read leaves the outcome of a write unknown, and its text stays out of the error', async t => {
  const entra = await startScriptedEntra(t.teardown, { graph: (_request, answer) => reply(answer, 200, '{"keyId":"x","secretText":"canary-secret') })
  const error = await faultOf(entra.directories.of('default').issueSecret(objectId, 'l', new Date(), new Date(), patience()))
  t.match(error, { fault: 'unavailable', outcomeUnknown: true, diagnostics: { reason: 'unreadable_answer' } })
  t.notMatch(JSON.stringify(error) + String(error.stack) + JSON.stringify(error.diagnostics), /canary/)
})

t.test('an id that is no GUID never reaches a URL', async t => {
  const entra = await startScriptedEntra(t.teardown, {})
  const directory = entra.directories.of('default')
  for (const hostile of ["x')/owners", '../users', `${objectId}/../x`, '%2e%2e', '']) {
    t.match(await faultOf(directory.updateApplication(hostile, wanted, patience())), { fault: 'rejected' })
    t.match(await faultOf(directory.ensurePrincipal(hostile, wanted, patience())), { fault: 'rejected' })
    t.match(await faultOf(directory.revokeSecret(objectId, hostile, patience())), { fault: 'rejected' })
    t.match(await faultOf(directory.probeSecret(hostile, 's', patience())), { fault: 'rejected' })
  }
  t.equal(entra.graphRequests.length + entra.tokenRequests.length, 0)
})

t.test('the calls carry what Graph wants to see, and quotes in a key are doubled', async t => {
  const entra = await startScriptedEntra(t.teardown, {
    token: tokenScript(),
    graph: (request, answer) => {
      if (request.method === 'POST') return reply(answer, 200, { keyId, secretText: 'abc~secret', displayName: 'l', endDateTime: '2027-01-01T00:00:00Z' })
      return reply(answer, 201, { id: objectId, appId: clientId })
    }
  })
  const directory = entra.directories.of('default')
  await directory.ensureApplication("o'brien", wanted, patience())
  const issued = await directory.issueSecret(objectId, 'l', new Date('2026-01-01'), new Date('2027-01-01'), patience())
  t.match(issued, { keyId, secretText: 'abc~secret', hint: 'abc', startsAt: new Date('2026-01-01'), expiresAt: new Date('2027-01-01') })
  const [upsert, add] = entra.graphRequests
  t.match(upsert, { method: 'PATCH', path: "/v1.0/applications(uniqueName='o''brien')", headers: { prefer: 'create-if-missing', 'content-type': 'application/json' } })
  t.strictSame(JSON.parse(upsert?.body ?? ''), {
    displayName: 'Orders',
    description: null,
    signInAudience: 'AzureADMyOrg',
    tags: wanted.tags,
    web: { redirectUris: wanted.redirectUris.web },
    publicClient: { redirectUris: [] },
    spa: { redirectUris: [] },
    api: { requestedAccessTokenVersion: 2 }
  })
  t.match(add, { method: 'POST', path: `/v1.0/applications/${objectId}/addPassword` })
  t.equal(entra.graphRequests.length, 2, 'a 201 needs no further read')
  t.match(entra.observations, [{ providerId: 'default', call: 'upsert application', status: 201 }, { call: 'add password', status: 200 }])
  t.notMatch(JSON.stringify(entra.observations), new RegExp(brokerSecret.replaceAll(/[^a-z]/g, '.')))
})
