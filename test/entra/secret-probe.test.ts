// The probe of a new secret: works, not yet, or a fault that says nothing about the secret.
import t from 'tap'
import { clientId, faultOf, patience, reply, startScriptedEntra, tenantId } from './scripted-entra.ts'

const secretText = 'new~secret/with+odd=characters'

t.test('a secret that Entra accepts works, and is asked for with a token for the client itself', async t => {
  const entra = await startScriptedEntra(t.teardown, {})
  t.equal(await entra.directories.of('default').probeSecret(clientId, secretText, patience()), true)
  const [request] = entra.tokenRequests
  t.match(request, { method: 'POST', path: `/${tenantId}/oauth2/v2.0/token` })
  t.strictSame(Object.fromEntries(new URLSearchParams(request?.body)), {
    grant_type: 'client_credentials', client_id: clientId, client_secret: secretText, scope: `${clientId}/.default`
  })
  t.equal(entra.tokenRequests.length, 1, 'the broker\'s own token is not needed')
})

t.test('what a fresh client or secret is answered while it replicates means: not yet', async t => {
  for (const code of [7000215, 7000222, 7000229, 700016, 500011, 70001]) {
    const entra = await startScriptedEntra(t.teardown, { token: (_request, answer) => reply(answer, 401, { error: 'invalid_client', error_codes: [code] }) })
    t.equal(await entra.directories.of('default').probeSecret(clientId, secretText, patience()), false, `AADSTS${code}`)
  }
})

t.test('every other answer is a fault, which does not show the secret', async t => {
  for (const [status, body, headers, fault] of [
    [401, { error_codes: [7000112] }, {}, 'unauthenticated'],
    [429, {}, { 'retry-after': '3' }, 'throttled'],
    [503, '<html>', {}, 'unavailable'],
    [500, { error_codes: [7000215] }, {}, 'unavailable'],
    [302, '', { location: '/elsewhere' }, 'unavailable']
  ] as const) {
    const entra = await startScriptedEntra(t.teardown, { token: (_request, answer) => reply(answer, status, body, { ...headers }) })
    const error = await faultOf(entra.directories.of('default').probeSecret(clientId, secretText, patience()))
    t.match(error, { fault, outcomeUnknown: false })
    t.notOk([error.message, error.stack, JSON.stringify(error)].some(text => text?.includes(secretText)))
    t.equal(entra.tokenRequests.length, 1)
  }
})

t.test('a token endpoint that does not answer ends with the signal', async t => {
  const entra = await startScriptedEntra(t.teardown, { token: () => undefined })
  t.match(await faultOf(entra.directories.of('default').probeSecret(clientId, secretText, AbortSignal.timeout(100))), {
    fault: 'unavailable', outcomeUnknown: false, diagnostics: { reason: 'ABORTED' }
  })
})
