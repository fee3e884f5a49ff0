// The broker's own token: asked for once at a time, kept while it is good, never deaf, bounded in time, and silent about its secret.
import t, { type Test } from 'tap'
import { createBrokerToken } from '../../src/entra/broker-token.ts'
import { cloudOf } from '../../src/entra/clouds.ts'
import { createHttp } from '../../src/entra/http.ts'
import { requestToken } from '../../src/entra/token-request.ts'
import { brokerSecret, faultOf, objectId, patience, reply, startScriptedEntra, tenantId, tokenScript, type Script } from './scripted-entra.ts'

const listing: Script = (_request, answer) => reply(answer, 200, { passwordCredentials: [] })

const refusal = (code: number, status = 401): Script => (_request, answer) => reply(answer, status, {
  error: 'invalid_client', error_description: `AADSTS${code}: said by Entra`, error_codes: [code], trace_id: 'trace-1', correlation_id: 'correlation-1'
})

/** A script per token request; the last one stays. */
const inTurn = (...scripts: Script[]): Script => (request, answer) => (scripts.length > 1 ? scripts.shift() : scripts[0])?.(request, answer)

/** A BrokerToken on MSAL and a scripted login, with a clock that the test moves. */
async function startToken (t: Test, token: Script, attemptTimeoutMs = 3000) {
  const entra = await startScriptedEntra(t.teardown, { token })
  const http = createHttp(1000)
  t.teardown(async () => await http.close())
  const credential = { kind: 'secret', secret: brokerSecret } as const
  const request = { http, cloud: cloudOf(entra.url, tenantId, entra.url), tenantId, clientId: objectId, credential }
  const clock = { aheadMs: 0 }
  const now = (): number => Date.now() + clock.aheadMs
  const brokerToken = createBrokerToken(async signal => await requestToken(request, signal), attemptTimeoutMs, now)
  return { brokerToken, clock, requests: entra.tokenRequests }
}

t.test('a hundred first calls at once ask the token endpoint once', async t => {
  const entra = await startScriptedEntra(t.teardown, { graph: listing })
  await Promise.all(Array.from({ length: 100 }, async () => await entra.directories.of('default').listSecrets(objectId, patience())))
  t.equal(entra.tokenRequests.length, 1)
  t.equal(entra.graphRequests.length, 100)
  const form = new URLSearchParams(entra.tokenRequests[0]?.body)
  t.equal(form.get('client_secret'), brokerSecret)
  t.equal(form.get('scope'), 'https://graph.microsoft.com/.default')
  t.match(entra.directories.health(), [{ providerId: 'default', state: 'accepted' }])
})

t.test('F16 a token that is due for renewal is still handed out while the token endpoint fails, and renewed when it is back', async t => {
  const cut: Script = (_request, answer) => { answer.destroy() }
  const script = inTurn(tokenScript(3600, 60), refusal(90033, 503), cut, tokenScript(3600, 60))
  const { brokerToken, clock, requests } = await startToken(t, script)
  t.equal(await brokerToken.get(patience()), 'token-1')
  for (const [aheadMs, arrived, reason] of [[61_000, 2, 'answered 503'], [75_000, 3, 'did not answer']] as const) {
    clock.aheadMs = aheadMs
    t.equal(await brokerToken.get(patience()), 'token-1', 'the old one, at once')
    await until(() => brokerToken.health().reason?.includes(reason) === true)
    t.equal(await brokerToken.get(patience()), 'token-1')
    t.equal(requests.length, arrived, 'a failed renewal is not repeated at once')
  }
  clock.aheadMs = 90_000
  await brokerToken.get(patience())
  await until(() => brokerToken.health().state === 'accepted')
  t.equal(requests.length, 4)
})

t.test('a token at its end is not handed out: the failure of the renewal is', async t => {
  const { brokerToken, clock } = await startToken(t, inTurn(tokenScript(3600), refusal(0, 500)))
  await brokerToken.get(patience())
  clock.aheadMs = 3_550_000
  t.match(await faultOf(brokerToken.get(patience())), { fault: 'unavailable' })
})

t.test('F16 after a 503 the next call asks again, without a minute of deafness', async t => {
  const entra = await startScriptedEntra(t.teardown, { graph: listing, token: inTurn((_request, answer) => reply(answer, 503, '<html>'), tokenScript()) })
  const directory = entra.directories.of('default')
  t.match(await faultOf(directory.listSecrets(objectId, patience())), { fault: 'unavailable', outcomeUnknown: false })
  t.match(entra.directories.health(), [{ state: 'failing', fault: 'unavailable' }])
  t.strictSame(await directory.listSecrets(objectId, patience()), [])
  t.equal(entra.tokenRequests.length, 2)
})

t.test('F16 a Retry-After is honoured for as long as it says and no longer', async t => {
  const throttled: Script = (_request, answer) => reply(answer, 429, {}, { 'retry-after': '7' })
  const { brokerToken, clock, requests } = await startToken(t, inTurn(throttled, tokenScript()))
  t.match(await faultOf(brokerToken.get(patience())), { fault: 'throttled', retryAfterMs: 7000 })
  clock.aheadMs = 5000
  const error = await faultOf(brokerToken.get(patience()))
  t.match(error, { fault: 'throttled' })
  t.ok((error.retryAfterMs ?? 0) <= 2000, 'what is left of it')
  t.equal(requests.length, 1, 'nobody is asked in the meantime')
  clock.aheadMs = 8000
  t.equal(await brokerToken.get(patience()), 'token-1')
})

t.test('F17 a token endpoint that hangs is given up after the attempt timeout', async t => {
  const { brokerToken } = await startToken(t, () => { /* never answers */ }, 150)
  t.match(await faultOf(brokerToken.get(patience())), { fault: 'unavailable', diagnostics: { reason: 'ABORTED' } })
})

t.test('a caller whose signal aborts stops waiting, while the others get the token', async t => {
  let answerNow = (): void => undefined
  const { brokerToken, requests } = await startToken(t, (request, answer) => { answerNow = () => tokenScript()(request, answer) })
  const impatient = new AbortController()
  const givenUp = brokerToken.get(impatient.signal)
  const patient = brokerToken.get(patience())
  await until(() => requests.length === 1)
  impatient.abort()
  t.match(await faultOf(givenUp), { fault: 'unavailable', outcomeUnknown: false })
  answerNow()
  t.equal(await patient, 'token-1')
  t.equal(requests.length, 1)
})

t.test('a token is invalidated once, however many calls it failed', async t => {
  const { brokerToken } = await startToken(t, tokenScript())
  t.equal(await brokerToken.get(patience()), 'token-1')
  brokerToken.invalidate('token-1')
  t.equal(await brokerToken.get(patience()), 'token-2')
  brokerToken.invalidate('token-1')
  t.equal(await brokerToken.get(patience()), 'token-2')
})

t.test('F18 a refused credential is `unauthenticated`, with the code, a sentence for the operator and no secret', async t => {
  for (const [code, sentence] of [
    [7000222, /expired/], [7000215, /wrong/], [700016, /AZURE_CLIENT_ID/],
    [7000229, /service principal/], [90002, /tenant/], [999999, /answered 401/]
  ] as const) {
    const entra = await startScriptedEntra(t.teardown, { token: refusal(code) })
    const error = await faultOf(entra.directories.verify('default', patience()))
    t.match(error, { fault: 'unauthenticated', diagnostics: { code: `AADSTS${code}`, status: 401, traceId: 'trace-1' } })
    t.match(error.message, sentence)
    const { reason } = entra.directories.health()[0] ?? {}
    const said = JSON.stringify([error, error.message, error.stack, error.diagnostics, error.cause, reason])
    t.notOk([brokerSecret, encodeURIComponent(brokerSecret), 'said by Entra'].some(text => said.includes(text)), 'nothing of what was sent or described')
    t.equal(entra.tokenRequests.length, 1)
  }
})

t.test('a fault of Entra\'s own that comes as a 400 is an outage, not a refusal', async t => {
  const entra = await startScriptedEntra(t.teardown, { token: refusal(90033, 400) })
  t.match(await faultOf(entra.directories.verify('default', patience())), { fault: 'unavailable' })
})

t.test('an answer without a token is an outage', async t => {
  for (const body of ['{"token_type":"Bearer"}', '<html>', '[]', 'null', '"x"']) {
    const entra = await startScriptedEntra(t.teardown, { token: (_request, answer) => reply(answer, 200, body) })
    t.match(await faultOf(entra.directories.verify('default', patience())), { fault: 'unavailable' }, body)
  }
})

/** Lets the event loop turn until something has happened. */
async function until (happened: () => boolean): Promise<void> {
  while (!happened()) await new Promise(resolve => setImmediate(resolve))
}
