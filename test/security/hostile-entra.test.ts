// S13 at the adapter: whatever Graph or the token endpoint answers, nothing is followed, nothing grows, and the call ends as a DirectoryError.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { createServiceTokens } from '../../src/entra/service-tokens.ts'
import type { Directory } from '../../src/registration/ports.ts'
import {
  clientId, faultOf, keyId, objectId, patience, reply, startScriptedEntra, tenantId, tokenScript, wantedApplication, type ScriptedEntra, type Script
} from '../entra/scripted-entra.ts'

const wanted = wantedApplication('r1')
const principalId = '66666666-6666-4666-8666-666666666666'

/** Somewhere else, and how often anybody came. */
async function startTrap (t: Test): Promise<{ url: string, visits: () => number }> {
  let visits = 0
  const server = createServer((_request, answer) => answer.end('{"value":[]}'))
  server.on('connection', () => visits++)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => { server.close() })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, visits: () => visits }
}

/** Everything of the port that reads a list. */
const lists: Record<string, (directory: Directory, signal: AbortSignal) => Promise<unknown>> = {
  'permissions held': async (directory, signal) => await directory.holdsPermissions(principalId, signal),
  'federated identities': async (directory, signal) => await directory.syncFederatedIdentities(objectId, [], signal),
  'deleted principals': async (directory, signal) => await directory.purgeApplication({ objectId, clientId }, null, signal),
  'tagged applications': async (directory, signal) => {
    let after: string | null = null
    do after = (await directory.listTagged('dcr-broker', after, signal)).next
    while (after !== null)
  }
}

t.test('S13 a list that goes on at another address is not followed, and is not taken for a whole one', async t => {
  const trap = await startTrap(t)
  let next: unknown
  const entra = await startScriptedEntra(t.teardown, { graph: (_request, answer) => reply(answer, 200, { value: [], '@odata.nextLink': next }) })
  const host = new URL(entra.url).host
  const links: unknown[] = [
    `${trap.url}/v1.0/x`, `//${new URL(trap.url).host}/v1.0/x`, '/v1.0/applications', `${entra.url}/beta/applications`, `${entra.url}/v1.0/../beta/x`, `${entra.url}/v1.0/%2e%2e/x`,
    `${entra.url}/v1.0\\..\\x`, `${entra.url}@${new URL(trap.url).host}/v1.0/x`, `http://a@${host}/v1.0/x`, `${entra.url}/v1.0/https://${new URL(trap.url).host}/x`,
    `${entra.url}/v1.0/x?$skiptoken=https://evil.example/v1.0/x`, 'javascript:alert(1)', '', 5, null, {}, ['x'], `${entra.url}/v1.0x/applications`
  ]
  for (const [name, read] of Object.entries(lists)) {
    for (next of links) {
      entra.graphRequests.length = 0
      const error = await faultOf(read(entra.directories.of('default'), patience()))
      t.match(error, { fault: 'unavailable', diagnostics: { reason: 'unreadable_answer' } }, `${name}: ${JSON.stringify(next)}`)
      t.equal(entra.graphRequests.length, 1)
    }
  }
  const elsewhere = `/https://${new URL(trap.url).host}/v1.0/x`
  const error = await faultOf(entra.directories.of('default').listTagged('x', elsewhere, patience()))
  t.match(error, { fault: 'unavailable', diagnostics: { reason: 'FOREIGN_ADDRESS' } }, 'the SDK would take that for an address of its own')
  t.equal(trap.visits(), 0)
})

t.test('S13 a list that never ends is given up', async t => {
  const entra = await startScriptedEntra(t.teardown, {
    graph: ({ path }, answer) => reply(answer, 200, { value: [], '@odata.nextLink': `http://${answer.req.headers.host}/v1.0/${path.includes('loops') ? 'loops' : 'loops?x'}` })
  })
  const directory = entra.directories.of('default')
  for (const [name, read] of Object.entries(lists).filter(([name]) => name !== 'tagged applications')) {
    entra.graphRequests.length = 0
    t.match(await faultOf(read(directory, patience())), { fault: 'unavailable' }, name)
    t.ok(entra.graphRequests.length <= 4, `${name}: in a circle`)
  }
  let page = 0
  const endless = await startScriptedEntra(t.teardown, {
    graph: (_request, answer) => reply(answer, 200, { value: [], '@odata.nextLink': `http://${answer.req.headers.host}/v1.0/x?$skiptoken=${++page}` })
  })
  t.match(await faultOf(endless.directories.of('default').holdsPermissions(principalId, patience(60_000))), { fault: 'unavailable' })
  t.ok(page <= 201, `${page} pages`)
})

t.test('S13 no redirect is followed, and no token goes with it', async t => {
  const trap = await startTrap(t)
  for (const status of [301, 302, 303, 307, 308]) {
    const away: Script = (_request, answer) => reply(answer, status, '', { location: `${trap.url}/v1.0/applications` })
    const graph = await startScriptedEntra(t.teardown, { graph: away })
    const directory = graph.directories.of('default')
    t.match(await faultOf(directory.listSecrets(objectId, patience())), { fault: 'unavailable' })
    t.match(await faultOf(directory.ensureApplication('dcr-r1', wanted, patience())), { fault: 'unavailable' })
    const login = await startScriptedEntra(t.teardown, { token: away })
    t.match(await faultOf(login.directories.verify('default', patience())), { fault: 'unavailable' })
    t.match(await faultOf(login.directories.of('default').probeSecret(clientId, 'secret', patience())), { fault: 'unavailable' })
  }
  t.equal(trap.visits(), 0)
})

t.test('S13 an answer that has no end, no sense or no measure is given up', async t => {
  const raw = (text: string): Script => (_request, answer) => { answer.socket?.write(text) }
  let written = 0
  const pour = (answer: ServerResponse): void => {
    const chunk = Buffer.alloc(64 * 1024, 32)
    while (!answer.destroyed && written < 256 * 1024 * 1024) {
      written += chunk.length
      if (answer.write(chunk)) continue
      answer.once('drain', () => pour(answer))
      return
    }
  }
  const scripts: Record<string, Script> = {
    'a body without end': (_request, answer) => { pour(answer.writeHead(200)) },
    'a body byte by byte': (_request, answer) => {
      answer.writeHead(200)
      const timer = setInterval(() => answer.write(' '), 20)
      answer.once('close', () => clearInterval(timer))
    },
    'headers without end': raw(`HTTP/1.1 200 OK\r\n${`x-${'a'.repeat(1000)}: ${'b'.repeat(1000)}\r\n`.repeat(50)}`),
    'a thousand headers': raw(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(10_000)}\r\n`),
    'interim answers without end': raw('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(5_000)),
    'a protocol of its own': raw('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    'two lengths': raw('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 40\r\n\r\n{}'),
    'a length and chunks': raw('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{}'),
    'no HTTP': raw('SSH-2.0-OpenSSH_9\r\n'),
    'a page of HTML': (_request, answer) => reply(answer, 200, '<html>sign in</html>', { 'content-type': 'text/html' }),
    'a bomb': (_request, answer) => answer.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50 * 1024 * 1024, 32))),
    'a deep one': (_request, answer) => reply(answer, 200, `${'{"value":['.repeat(100_000)}`),
    'a deep and whole one': (_request, answer) => reply(answer, 200, `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`),
    nothing: (_request, answer) => reply(answer, 200, '')
  }
  const before = process.memoryUsage().rss
  for (const [what, script] of Object.entries(scripts)) {
    const graph = await startScriptedEntra(t.teardown, { graph: script })
    const startedMs = performance.now()
    t.match(await faultOf(graph.directories.of('default').listSecrets(objectId, AbortSignal.timeout(400))), { fault: 'unavailable' }, `Graph: ${what}`)
    const login = await startScriptedEntra(t.teardown, { token: script }, { attemptTimeoutMs: 400 })
    t.match(await faultOf(login.directories.verify('default', patience())), { fault: 'unavailable' }, `login: ${what}`)
    t.ok(performance.now() - startedMs < 10_000, `${what} is over soon`)
  }
  t.ok(written < 100 * 1024 * 1024, `${written} bytes were taken or on their way`)
  t.ok(process.memoryUsage().rss - before < 300 * 1024 * 1024)
})

t.test('S13 a value of another kind than Graph documents is an unreadable answer, and nothing of it gets into an address', async t => {
  let body: unknown
  const entra = await startScriptedEntra(t.teardown, { graph: ({ method }, answer) => reply(answer, method === 'PATCH' ? 201 : 200, body as string) })
  const directory = entra.directories.of('default')
  const secret = { keyId, secretText: 'abc~secret', hint: 'abc', displayName: 'l', endDateTime: '2027-01-01T00:00:00Z' }
  const issue = async () => await directory.issueSecret(objectId, 'l', new Date(), new Date(), patience())
  const calls: Array<[name: string, call: () => Promise<unknown>, bodies: unknown[]]> = [
    ['application', async () => await directory.ensureApplication('dcr-r1', wanted, patience()), [
      [], 'null', '5', '"x"', {}, { id: objectId }, { id: objectId, appId: '../../users' }, { id: '../../users', appId: clientId }, { id: [objectId], appId: clientId },
      { id: { toString: objectId }, appId: clientId }, { id: `${objectId}/x`, appId: clientId }, { id: `${objectId}\n`, appId: clientId }, { id: objectId, appId: `${clientId}?x` }
    ]],
    ['principal', async () => await directory.ensurePrincipal(clientId, wanted, patience()), [{}, { id: 5 }, { id: '../x' }, { id: [objectId] }]],
    ['secret', issue, [
      {}, { ...secret, keyId: undefined }, { ...secret, keyId: '../../users' }, { ...secret, keyId: 5 }, { ...secret, keyId: [keyId] }, { ...secret, secretText: undefined },
      { ...secret, secretText: {} }, { ...secret, secretText: ['x'] }, { ...secret, secretText: '' }, { ...secret, secretText: 'a\ud800b' }, { ...secret, secretText: 'a\u0000b' },
      { ...secret, secretText: 'x'.repeat(2_000) }, { ...secret, endDateTime: 'soon' }, { ...secret, endDateTime: 5 }, { ...secret, endDateTime: {} }
    ]],
    ['secrets', async () => await directory.listSecrets(objectId, patience()), [
      {}, { passwordCredentials: {} }, { passwordCredentials: 'x' }, { passwordCredentials: [null] }, { passwordCredentials: [5] }, { passwordCredentials: [{ ...secret, keyId: '../x' }] }
    ]],
    ['list', async () => await directory.listTagged('x', null, patience()), [
      {}, { value: {} }, { value: 'x' }, { value: [null] }, { value: [[]] }, { value: [{ id: '../x', appId: clientId }] },
      { value: [{ id: objectId, appId: clientId, passwordCredentials: [{ keyId: '../x' }] }] }
    ]]
  ]
  for (const [name, call, bodies] of calls) {
    for (body of bodies) {
      t.match(await faultOf(call()), { fault: 'unavailable', diagnostics: { reason: 'unreadable_answer' } }, `${name}: ${JSON.stringify(body).slice(0, 120)}`)
    }
  }
  body = { ...secret, hint: 'a\u0000b' }
  t.match(await issue(), { secretText: 'abc~secret', hint: 'abc' }, 'a hint that could not be kept is replaced')
  body = { value: [{ id: objectId, appId: clientId, displayName: 'a\u0000b\ud800', tags: { length: 2 }, createdDateTime: {} }] }
  t.match(await directory.listTagged('x', null, patience()), { applications: [{ displayName: 'a b ', tags: [] }] })
  t.strictSame(entra.graphRequests.filter(({ path }) => /\.\.|users/.test(path)), [])
})

t.test('S13 what an error says is kept short and plain, and a Retry-After has bounds', async t => {
  const text = 'first\r\nsecond\u0000\u001b[31m\ud800' + 'x'.repeat(399) + '😀'
  let waitMs = ''
  const entra = await startScriptedEntra(t.teardown, {
    graph: (_request, answer) => reply(answer, 400, { error: { code: text, message: text, details: [{ code: 5, message: {} }] } }),
    token: (_request, answer) => waitMs === '' ? tokenScript()(_request, answer) : reply(answer, 503, '', { 'retry-after': waitMs })
  })
  const error = await faultOf(entra.directories.of('default').listSecrets(objectId, patience()))
  const said = error.message + JSON.stringify(error.diagnostics)
  t.notMatch(said, /[\p{Cc}\p{Cs}]|\\u|\\n/u)
  t.ok(said.length < 1_000)
  for (waitMs of ['1e99', '-5', 'NaN', 'Infinity', '9'.repeat(400), '0x10', '5; 6', 'Fri, 31 Dec 9999 23:59:59 GMT', 'Thu, 01 Jan 1970 00:00:00 GMT']) {
    const { retryAfterMs } = await faultOf(entra.directories.of('default').probeSecret(clientId, 's', patience()))
    t.ok(retryAfterMs === undefined || (retryAfterMs >= 0 && retryAfterMs <= 3_600_000), `${waitMs}: ${retryAfterMs}`)
  }
})

t.test('S13 a token answer that makes no sense gives no token, and nothing of it gets into a header', async t => {
  const token = { token_type: 'Bearer', expires_in: 3600, access_token: 'token' }
  for (const body of [
    [], 'null', '<html>', {}, { ...token, access_token: '' }, { ...token, access_token: {} }, { ...token, access_token: ['x'] }, { ...token, access_token: 'x\r\nhost: evil.example' },
    { ...token, access_token: 'x\u0000' }, { ...token, access_token: 'x'.repeat(3_000_000) }, { error: {}, error_codes: 'x', error_description: ['x'] }
  ]) {
    const entra = await startScriptedEntra(t.teardown, { token: (_request, answer) => reply(answer, 200, body) })
    const { fault } = await faultOf(entra.directories.of('default').listSecrets(objectId, patience()))
    t.ok(fault === 'unavailable' || fault === 'unauthenticated', `${JSON.stringify(body).slice(0, 80)}: ${fault}`)
    t.equal(entra.graphRequests.length, 0)
  }
  for (const life of [-1, 0, 1e99, 'soon', null, {}, [], '9'.repeat(99)]) {
    const entra = await startScriptedEntra(t.teardown, {
      token: (_request, answer) => reply(answer, 200, { ...token, expires_in: life }),
      graph: (_request, answer) => reply(answer, 200, { passwordCredentials: [] })
    })
    const directory = entra.directories.of('default')
    for (let each = 0; each < 3; each++) await directory.listSecrets(objectId, patience()).catch(() => undefined)
    t.ok(entra.tokenRequests.length <= 3, `${JSON.stringify(life)}: ${entra.tokenRequests.length} requests for tokens`)
  }
})

t.test('S13 keys of a tenant that are no keys, too many or too large verify nothing and take no time', async t => {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const own = { ...await exportJWK(publicKey), kid: 'own', use: 'sig' }
  const filler = Array.from({ length: 20_000 }, (_, index) => ({ kty: 'RSA', kid: `k${index}`, n: own.n, e: own.e }))
  const sets: Record<string, unknown> = {
    'no list': { keys: {} },
    'another kind': { keys: [{ ...own, kty: 'oct', k: 'c2VjcmV0' }, { ...own, kty: 'EC' }, null, 5, [], 'x'] },
    'of other types': { keys: [{ ...own, n: 5 }, { ...own, e: {} }, { ...own, kid: ['own'] }] },
    'too large': { keys: [{ ...own, n: 'A'.repeat(1_000_000) }] },
    'an exponent too large': { keys: [{ ...own, e: own.n }] },
    'behind thousands': { keys: [...filler, own] },
    'more than 4 MiB': { keys: [own], x: 'x'.repeat(5 * 1024 * 1024) },
    'no JSON': '<html>'
  }
  const claims = { tid: tenantId, ver: '2.0', azp: clientId, oid: 'o', sub: 'o', idtyp: 'app', roles: ['Dcr.Register'] }
  const token = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'own' }).setAudience('api://x')
    .setIssuer(`https://login.microsoftonline.com/${tenantId}/v2.0`).setNotBefore('1m ago').setExpirationTime('1h').sign(privateKey)
  const startedMs = performance.now()
  const outcomeOf = async (keys: unknown): Promise<string | null> => {
    const graph: Script = ({ path }, answer) => reply(answer, 200, path.includes('/keys')
      ? keys as string
      : { issuer: path.includes('v2.0') ? `https://login.microsoftonline.com/${tenantId}/v2.0` : `https://sts.windows.net/${tenantId}/` })
    const entra: ScriptedEntra = await startScriptedEntra(t.teardown, { graph })
    const tokens = createServiceTokens([{
      providerId: 'default', tenantId, authorityHost: entra.url, graphBaseUrl: entra.url, audiences: ['api://x'], role: 'Dcr.Register', attemptTimeoutMs: 3000
    }])
    t.teardown(async () => await tokens.close())
    return await tokens.applicationOf('default', token).catch(error => error.fault === 'unavailable' ? null : String(error))
  }
  for (const [what, keys] of Object.entries(sets)) t.equal(await outcomeOf(keys), null, what)
  t.equal(await outcomeOf({ keys: [own] }), clientId, 'and one among good keys does')
  t.ok(performance.now() - startedMs < 45_000)
})
