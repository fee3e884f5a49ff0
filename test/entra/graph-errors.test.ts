// The table from Graph's answers to faults: every row, the bodies that are no JSON, Retry-After, and when an outcome is unknown.
import t from 'tap'
import { graphError, graphFailure } from '../../src/entra/graph-errors.ts'
import { HttpFailure, type HttpAnswer } from '../../src/entra/http.ts'
import { retryAfterMs } from '../../src/entra/retry-after.ts'
import type { DirectoryFault } from '../../src/registration/ports.ts'

const answer = (status: number, body: unknown, headers: HttpAnswer['headers'] = {}): HttpAnswer =>
  ({ status, headers, text: typeof body === 'string' ? body : JSON.stringify(body) })

const error = (code: string, message: string, details: object[] = []): object => ({ error: { code, message, details } })

const rows: Array<[string, number, unknown, DirectoryFault, string]> = [
  ['an object that is not there', 404, error('Request_ResourceNotFound', "Resource 'x' does not exist or one of its queried reference-property objects are not present."), 'missing', 'not_found'],
  ['a tenant that a replica does not know', 404, error('Directory_ObjectNotFound', 'Unable to read the company information from the directory.'), 'replicating', 'tenant_not_visible'],
  ['a principal whose application is not visible', 400, error('Request_BadRequest', 'x', [{ code: 'NoBackingApplicationObject', target: 'appId', message: 'y' }]), 'replicating', 'application_not_visible'],
  ['the same, told by its message only', 400, error('Request_BadRequest', "The appId 'x' of the service principal does not reference a valid application object."), 'replicating', 'application_not_visible'],
  ['the same under OwnedBy', 403, error('Authorization_RequestDenied', 'When using this permission, the backing application of the service principal being created must in the local tenant'), 'replicating', 'application_not_visible'],
  ['a reference to something not visible', 400, error('Request_BadRequest', 'Not a valid reference update.'), 'replicating', 'object_not_visible'],
  ['a taken uniqueName', 400, error('Request_BadRequest', 'Another object with the same value for property uniqueName already exists.'), 'conflicting', 'name_taken'],
  ['a password that is not there', 400, error('Request_BadRequest', "No password credential found with keyId 'x'."), 'missing', 'no_such_password'],
  ['a concurrent write', 409, error('Directory_ConcurrencyViolation', 'Please wait briefly and retry.'), 'conflicting', 'concurrent_write'],
  ['an existing key', 409, error('Request_MultipleObjectsWithSameKeyValue', 'x'), 'conflicting', 'conflict'],
  ['a federated identity that is there', 409, error('Request_MultipleObjectsWithSameKeyValue', 'FederatedIdentityCredential with name dcr-x already exists.'), 'conflicting', 'federated_identity_exists'],
  ['a trusted issuer and subject', 400, error('InvalidFederatedIdentityCredentialValue', 'The combination of issuer and subject must be unique for the application. Issuer x and Subject: y already exist.'), 'conflicting', 'trust_taken'],
  ['too many federated identities', 400, error('Request_BadRequest', 'The maximum of 20 federated identity credentials for the application has been reached.'), 'quota', 'federated_identity_limit'],
  ['the same in other words', 400, error('Request_BadRequest', 'FederatedIdentityCredentials exceed the allowed number.'), 'quota', 'federated_identity_limit'],
  ['a federated identity with too long a field', 400, error('InvalidFederatedIdentityCredentialValue', 'The length exceeds the limit of 600. paramName: FederatedIdentityCredential.Subject'), 'rejected', 'rejected'],
  ['an issuer policy', 400, error('InvalidFederatedIdentityCredentialValue', "Issuer 'x' is not allowed as per assigned policy."), 'policy', 'federated_identity_policy'],
  ['a role that is assigned already', 400, error('Request_BadRequest', 'Permission being assigned already exists on the object'), 'conflicting', 'role_assigned'],
  ['the same in other words', 409, error('Request_MultipleObjectsWithSameKeyValue', 'EntitlementGrant entry already exists.'), 'conflicting', 'role_assigned'],
  ['a permission that the resource lacks', 400, error('Request_BadRequest', 'Permission being assigned was not found on application'), 'rejected', 'permission_absent'],
  ['a permission grant that is there', 409, error('Request_MultipleObjectsWithSameKeyValue', 'Permission entry already exists.'), 'conflicting', 'grant_exists'],
  ['a certificate with wrong dates', 400, error('KeyCredentialsInvalidEndDate', 'Key credential end date is invalid.'), 'rejected', 'certificate_refused'],
  ['a certificate that is none', 400, error('KeyCredentialsInvalidValue', 'x'), 'rejected', 'certificate_refused'],
  ['a lifetime policy for certificates', 400, error('CredentialInvalidLifetimeAsPerAppPolicy', 'x', [{ code: 'InvalidKeyEndDate' }]), 'policy', 'app_management_policy'],
  ['a lifetime policy', 400, error('CredentialInvalidLifetimeAsPerAppPolicy', 'x'), 'policy', 'app_management_policy'],
  ['a password policy told in the details', 400, error('Request_BadRequest', 'x', [{ code: 'CredentialTypeNotAllowedAsPerAppPolicy' }]), 'policy', 'app_management_policy'],
  ['a full directory', 403, error('Directory_QuotaExceeded', 'The directory object quota limit for the Principal has been exceeded.'), 'quota', 'directory_quota'],
  ['an application with too many passwords', 400, error('Directory_ResourceSizeExceeded', 'The size of the object has exceeded its limit.'), 'quota', 'object_size'],
  ['full storage', 507, '', 'quota', 'storage'],
  ['a missing permission', 403, error('Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'), 'denied', 'permission_missing'],
  ['a refused token', 401, error('InvalidAuthenticationToken', 'x'), 'unauthenticated', 'token_refused'],
  ['a refused payload', 400, error('Request_BadRequest', 'Invalid value specified for property.'), 'rejected', 'rejected'],
  ['a throttled caller', 429, error('TooManyRequests', 'x'), 'throttled', 'throttled'],
  ['a timeout upstream', 408, '', 'unavailable', 'upstream_timeout'],
  ['a page of HTML', 500, '<html><body>Internal Server Error</body></html>', 'unavailable', 'upstream_fault'],
  ['truncated JSON', 504, '{"error":{"code":"Req', 'unavailable', 'upstream_fault'],
  ['an empty body', 502, '', 'unavailable', 'upstream_fault'],
  ['a redirect', 302, '', 'unavailable', 'unexpected_status'],
  ['hostile shapes', 400, { error: { code: 7, message: [], details: 'x' } }, 'rejected', 'rejected'],
  ['a null error', 403, { error: null }, 'denied', 'permission_missing']
]

t.test('each of Graph\'s answers becomes the fault that tells the core what to do', async t => {
  for (const [name, status, body, fault, reason] of rows) {
    t.match(graphError('create', answer(status, body), true), { fault, diagnostics: { status, reason } }, name)
  }
})

t.test('a 503 that names a time is throttling, one that does not is an outage', async t => {
  t.match(graphError('create', answer(503, '', { 'retry-after': '2' }), true), { fault: 'throttled', retryAfterMs: 2000 })
  t.match(graphError('create', answer(503, ''), true), { fault: 'unavailable', retryAfterMs: undefined })
})

t.test('the outcome of a write is unknown after a fault of the server, and known after a refusal', async t => {
  for (const status of [500, 502, 503, 504, 408]) {
    t.equal(graphError('create', answer(status, ''), true).outcomeUnknown, true, `${status} to a write`)
    t.equal(graphError('read', answer(status, ''), false).outcomeUnknown, false, `${status} to a read`)
  }
  for (const status of [400, 401, 403, 404, 409, 429]) {
    t.equal(graphError('create', answer(status, ''), true).outcomeUnknown, false, `${status} to a write`)
  }
})

t.test('the outcome of a write without an answer is unknown only if it was sent', async t => {
  t.match(graphFailure('create', new HttpFailure('ECONNREFUSED', false, null), true), { fault: 'unavailable', outcomeUnknown: false })
  t.match(graphFailure('create', new HttpFailure('UND_ERR_SOCKET', true, null), true), { fault: 'unavailable', outcomeUnknown: true })
  t.match(graphFailure('read', new HttpFailure('UND_ERR_SOCKET', true, null), false), { fault: 'unavailable', outcomeUnknown: false })
})

t.test('the ids that Microsoft\'s support asks for are kept, cut to size, and broken ones are left out', async t => {
  const { diagnostics } = graphError('create', answer(403, error('A', 'b'), {
    'request-id': 'r'.repeat(100),
    'client-request-id': 'c',
    'x-ms-ags-diagnostic': '{"ServerInfo":{"DataCenter":"West Europe","Slice":"E","RoleInstance":"AM1"}}'
  }), true)
  t.strictSame(diagnostics, { status: 403, requestId: 'r'.repeat(64), clientRequestId: 'c', server: 'West Europe/AM1', reason: 'permission_missing', code: 'A' })
  t.strictSame(graphError('create', answer(500, '', { 'x-ms-ags-diagnostic': 'nonsense' }), true).diagnostics, { status: 500, reason: 'upstream_fault' })
})

t.test('Retry-After is read as seconds or as a date, bounded, and ignored when it makes no sense', async t => {
  const nowMs = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT')
  const cases: Array<[string | string[] | undefined, number | undefined]> = [
    ['2', 2000], ['0', 0], ['0.5', 500], ['400', 400_000], ['999999999', 3_600_000], [['3', '9'], 3000],
    ['Wed, 21 Oct 2026 07:28:07 GMT', 7000], ['Wed, 21 Oct 2026 07:00:00 GMT', 0],
    ['', undefined], [undefined, undefined], ['soon', undefined], ['-5', undefined], ['2026', 2_026_000], ['1e9', undefined], ['Xyz, 99 Foo 2026 GMT', undefined]
  ]
  for (const [header, ms] of cases) t.equal(retryAfterMs(header, nowMs), ms, `"${String(header)}"`)
})

t.test('S13 an error of whatever length is read in no time', async t => {
  const words = ['limit ', 'maximum', 'federated identity credential with name ', 'federated identity credentials ', 'Another object ', 'x']
  const startedMs = performance.now()
  for (const word of words) {
    const long = word.repeat(100_000 / word.length)
    for (const status of [400, 403, 409]) graphError('x', answer(status, error(long, long)), true)
  }
  graphError('x', answer(400, error('x', 'x', Array.from({ length: 100_000 }, () => ({ code: 'limit', message: 'limit limit' })))), true)
  t.ok(performance.now() - startedMs < 10_000)
})
