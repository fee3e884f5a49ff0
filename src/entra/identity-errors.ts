// What a refusal of the token endpoint means: the table of AADSTS codes, read for the broker's own credential and for a client's new secret.
import { DirectoryError } from '../registration/ports.ts'
import { HttpFailure, type HttpAnswer } from './http.ts'
import { member, parseJson, plainText } from './json.ts'
import { retryAfterMs } from './retry-after.ts'

/** Said to the operator when Entra refuses the broker itself. */
const refusals: Readonly<Record<number, string>> = {
  53003: 'a conditional access policy blocks the broker\'s workload identity',
  70021: 'no federated credential of the broker\'s application matches the token\'s issuer, subject and audience',
  90002: 'the tenant does not exist in this cloud: check AZURE_TENANT_ID and AZURE_AUTHORITY_HOST',
  500011: 'Microsoft Graph is not known in this tenant under the address in use: check GRAPH_BASE_URL and the cloud',
  700016: 'the broker\'s application is not in this tenant: check AZURE_CLIENT_ID and AZURE_TENANT_ID',
  700024: 'the assertion is outside its time of validity: check the clock, or renew the federated token',
  700027: 'the certificate is not registered with the broker\'s application, or has expired',
  700211: 'no federated credential of the broker\'s application has the token\'s issuer',
  700212: 'no federated credential of the broker\'s application has the token\'s audience',
  700213: 'no federated credential of the broker\'s application has the token\'s subject',
  7000112: 'the broker\'s application is disabled',
  7000215: 'the broker\'s client secret is wrong (the value is needed, not the secret\'s id)',
  7000222: 'the broker\'s client secret has expired: make a new one and restart with it',
  7000229: 'the broker\'s application has no service principal in this tenant: grant admin consent once'
}

/** Entra: faults of its own that come with status 400 or 401. */
const transientCodes = new Set([90033, 90055, 90085, 90090, 1000000])

/** Entra: what a client made a moment ago may answer until every replica has it. 7000222 (expired) has been seen there as well. */
const notYetCodes = new Set([70001, 500011, 700016, 7000215, 7000222, 7000229])

/** True when the answer is what a fresh client or secret gets while it replicates. */
export function isNotYet (answer: HttpAnswer): boolean {
  return answer.status >= 400 && answer.status < 500 && codesOf(answer).some(code => notYetCodes.has(code))
}

/**
 * A DirectoryError for a token endpoint that did not give a token. `of`: whose token, for the message.
 * Carries the AADSTS code and Entra's ids; Entra's own description stays behind.
 */
export function identityError (of: string, answer: HttpAnswer, nowMs = Date.now()): DirectoryError {
  const waitMs = retryAfterMs(answer.headers['retry-after'], nowMs)
  const [code] = codesOf(answer)
  const options = { retryAfterMs: waitMs, diagnostics: diagnosticsOf(answer, code) }
  const said = `the token endpoint answered ${answer.status} for ${of}`
  if (answer.status === 429 || (answer.status >= 500 && waitMs !== undefined)) return new DirectoryError('throttled', said, options)
  if (answer.status < 400 || answer.status >= 500 || answer.status === 408 || (code !== undefined && transientCodes.has(code))) {
    return new DirectoryError('unavailable', said, options)
  }
  const refusal = code === undefined ? undefined : refusals[code]
  return new DirectoryError('unauthenticated', refusal === undefined ? said : `${said}: ${refusal}`, options)
}

/** A DirectoryError for a token endpoint that did not answer. A token request changes nothing: the outcome is never unknown. */
export function identityFailure (of: string, failure: HttpFailure): DirectoryError {
  return new DirectoryError('unavailable', `the token endpoint did not answer for ${of}: ${failure.code}`, {
    cause: failure, diagnostics: { reason: failure.code }
  })
}

function codesOf (answer: HttpAnswer): number[] {
  const codes = member(parseJson(answer.text), 'error_codes')
  return Array.isArray(codes) ? codes.filter(code => typeof code === 'number') : []
}

function diagnosticsOf (answer: HttpAnswer, code: number | undefined): Record<string, string | number> {
  const body = parseJson(answer.text)
  const diagnostics: Record<string, string | number> = { status: answer.status }
  if (code !== undefined) diagnostics['code'] = `AADSTS${code}`
  for (const [name, key] of [['traceId', 'trace_id'], ['correlationId', 'correlation_id']] as const) {
    const value = member(body, key)
    if (typeof value === 'string') diagnostics[name] = plainText(value, 64)
  }
  return diagnostics
}
