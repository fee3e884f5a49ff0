// What a Graph answer means for the core: the one table, and the DirectoryError made from it.
// Microsoft says not to branch on messages; replication faults can't be told apart otherwise, so every fragment stands here.
import { DirectoryError, type DirectoryFault } from '../registration/ports.ts'
import { HttpFailure, type HttpAnswer } from './http.ts'
import { member, parseJson, plainText } from './json.ts'
import { retryAfterMs } from './retry-after.ts'

interface Rule {
  status?: number
  /** Matches `error.code` or any `error.details[].code`. */
  code?: RegExp
  /** Matches `error.message` or any `error.details[].message`. */
  message?: RegExp
  fault: DirectoryFault
  /** Ends up in the diagnostics, for logs and for the calls that tell one refusal from another. */
  reason: string
}

/** The first rule that fits decides. */
const rules: readonly Rule[] = [
  { code: /AsPerAppPolicy$/, fault: 'policy', reason: 'app_management_policy' },
  { code: /^Directory_QuotaExceeded$/, fault: 'quota', reason: 'directory_quota' },
  { code: /^Directory_ResourceSizeExceeded$/, fault: 'quota', reason: 'object_size' },
  { code: /^Directory_ConcurrencyViolation$/, fault: 'conflicting', reason: 'concurrent_write' },
  { code: /^NoBackingApplicationObject$/, fault: 'replicating', reason: 'application_not_visible' },
  { status: 404, code: /^Directory_ObjectNotFound$/, message: /company information/i, fault: 'replicating', reason: 'tenant_not_visible' },
  { status: 403, message: /backing application of the service principal being created must/i, fault: 'replicating', reason: 'application_not_visible' },
  { status: 400, message: /does not reference a valid application object/i, fault: 'replicating', reason: 'application_not_visible' },
  { status: 400, message: /not a valid reference update/i, fault: 'replicating', reason: 'object_not_visible' },
  // Entra answers a taken uniqueName with 400, not 409, also when its holder is soft-deleted.
  { status: 400, message: /another object with the same value for property/i, fault: 'conflicting', reason: 'name_taken' },
  { status: 400, code: /^InvalidFederatedIdentityCredential/, message: /as per assigned policy/i, fault: 'policy', reason: 'federated_identity_policy' },
  // Entra: one credential per issuer and subject; one that was just removed may still count.
  { status: 400, message: /combination of issuer and subject must be unique/i, fault: 'conflicting', reason: 'trust_taken' },
  // Entra: 20 per application. How the refusal reads is not documented; a field that is too long must not be taken for it.
  {
    status: 400,
    message: /(maximum|limit)[^.]*\bfederated ?identity ?credentials\b|\bfederated ?identity ?credentials\b[^.]*(maximum|limit|exceed)/i,
    fault: 'quota',
    reason: 'federated_identity_limit'
  },
  { status: 409, message: /federated ?identity ?credential with name .* already exists/i, fault: 'conflicting', reason: 'federated_identity_exists' },
  { message: /(permission being assigned|entitlementgrant entry) already exists/i, fault: 'conflicting', reason: 'role_assigned' },
  // Somebody has made the grant since the list was read, or the list was old: a repeat finds it and changes it.
  { message: /permission entry already exists/i, fault: 'conflicting', reason: 'grant_exists' },
  { status: 400, message: /permission being assigned was not found/i, fault: 'rejected', reason: 'permission_absent' },
  { status: 400, code: /^KeyCredentialsInvalid|^InvalidKey/, fault: 'rejected', reason: 'certificate_refused' },
  { status: 400, message: /no password credential found with keyid/i, fault: 'missing', reason: 'no_such_password' },
  { status: 400, message: /does not exist or one of its queried/i, fault: 'missing', reason: 'not_found' },
  { status: 401, fault: 'unauthenticated', reason: 'token_refused' },
  { status: 403, fault: 'denied', reason: 'permission_missing' },
  { status: 404, fault: 'missing', reason: 'not_found' },
  { status: 409, fault: 'conflicting', reason: 'conflict' },
  { status: 412, fault: 'conflicting', reason: 'conflict' },
  { status: 423, fault: 'conflicting', reason: 'locked' },
  { status: 408, fault: 'unavailable', reason: 'upstream_timeout' },
  { status: 429, fault: 'throttled', reason: 'throttled' },
  { status: 507, fault: 'quota', reason: 'storage' }
]

/** A DirectoryError for an answer that is no success. `writes`: a 5xx may follow a change that was made. */
export function graphError (call: string, answer: HttpAnswer, writes: boolean, nowMs = Date.now()): DirectoryError {
  const error = readError(answer.text)
  const waitMs = retryAfterMs(answer.headers['retry-after'], nowMs)
  const { fault, reason } = rules.find(rule => fits(rule, answer.status, error)) ?? byStatus(answer.status, waitMs)
  return new DirectoryError(fault, `Graph answered ${answer.status} to ${call}: ${plainText(error.messages[0] ?? 'no readable body', 400)}`, {
    outcomeUnknown: writes && (answer.status >= 500 || answer.status === 408) && fault !== 'quota',
    retryAfterMs: waitMs,
    isTenantWide: fault === 'throttled',
    diagnostics: { ...diagnosticsOf(answer), reason, ...(error.codes.length > 0 && { code: plainText(error.codes.join('/'), 120) }) }
  })
}

/** A DirectoryError for a request that got no answer. */
export function graphFailure (call: string, failure: HttpFailure, writes: boolean): DirectoryError {
  return new DirectoryError('unavailable', `Graph did not answer ${call}: ${failure.code}`, {
    cause: failure, outcomeUnknown: writes && failure.sent, diagnostics: { reason: failure.code }
  })
}

/** A DirectoryError for a success whose body is not what Graph documents: what was asked has probably been done. */
export function unreadableAnswer (call: string, answer: HttpAnswer, writes: boolean): DirectoryError {
  return new DirectoryError('unavailable', `Graph's ${answer.status} to ${call} is unreadable`, {
    outcomeUnknown: writes, diagnostics: { ...diagnosticsOf(answer), reason: 'unreadable_answer' }
  })
}

function byStatus (status: number, waitMs: number | undefined): Pick<Rule, 'fault' | 'reason'> {
  if (status >= 500) return waitMs === undefined ? { fault: 'unavailable', reason: 'upstream_fault' } : { fault: 'throttled', reason: 'busy' }
  // A redirect is never followed: something between us and Graph answers in its place.
  if (status < 400) return { fault: 'unavailable', reason: 'unexpected_status' }
  return { fault: 'rejected', reason: 'rejected' }
}

interface GraphErrorBody {
  codes: string[]
  messages: string[]
}

function fits (rule: Rule, status: number, error: GraphErrorBody): boolean {
  const { code, message } = rule
  return (rule.status === undefined || rule.status === status) &&
    (code === undefined || error.codes.some(text => code.test(text))) &&
    (message === undefined || error.messages.some(text => message.test(text)))
}

/** Of one text: the patterns above take time with the square of its length. */
const longestText = 2_048
const mostDetails = 20

/** Reads `{error: {code, message, details: [{code, message}]}}`; HTML and broken bodies have neither codes nor messages. */
function readError (text: string): GraphErrorBody {
  const error = member(parseJson(text), 'error')
  const details = member(error, 'details')
  const parts = [error, ...(Array.isArray(details) ? details.slice(0, mostDetails) : [])]
  const strings = (name: string): string[] =>
    parts.map(part => member(part, name)).filter(value => typeof value === 'string').map(value => value.slice(0, longestText))
  return { codes: strings('code'), messages: strings('message') }
}

/** Status and the ids that Microsoft's support asks for. */
function diagnosticsOf (answer: HttpAnswer): Record<string, string | number> {
  const diagnostics: Record<string, string | number> = { status: answer.status }
  for (const [name, header] of [['requestId', 'request-id'], ['clientRequestId', 'client-request-id']] as const) {
    const value = answer.headers[header]
    if (typeof value === 'string') diagnostics[name] = value.slice(0, 64)
  }
  const server = member(parseJson(String(answer.headers['x-ms-ags-diagnostic'] ?? '')), 'ServerInfo')
  const place = ['DataCenter', 'RoleInstance'].map(name => member(server, name)).filter(value => typeof value === 'string').join('/')
  if (place !== '') diagnostics['server'] = plainText(place, 80)
  return diagnostics
}
