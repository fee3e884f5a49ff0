// The catalogue of errors as Markdown: the tables of the surfaces, with what each code means and what to do.
import { ADMINISTRATION_STATUSES, STATUSES } from '../src/http/operations/problems.ts'
import { REFUSALS as KONNECT_REFUSALS, ROWS as KONNECT_ROWS } from '../src/http/konnect/errors.ts'
import { REFUSALS as REGISTER_REFUSALS, ROWS as REGISTER_ROWS } from '../src/http/register/errors.ts'
import { RequestRefusal, type RefusalStatus } from '../src/http/refusals.ts'
import type { AdministrationErrorCode } from '../src/administration/errors.ts'
import type { RegistrationErrorCode } from '../src/registration/errors.ts'

/** Total: the compiler asks for the words of a new code. */
const registrationErrors: Record<RegistrationErrorCode, readonly [meaning: string, remedy: string]> = {
  invalid_client_metadata: ['A member of the document can\'t be registered here.', 'Change what the sentence names; a dry run shows what would be registered.'],
  invalid_redirect_uri: ['Entra, or the policy, does not take a redirect URI.', 'Use https, or http on a loopback address; the sentence names the URI.'],
  invalid_request: ['The request contradicts itself.', 'Change what the sentence names.'],
  unknown_client: ['There is no such client, or it is not the caller\'s.', 'Check the client id and whose key or token it is.'],
  unknown_secret: ['The client has no such secret.', 'List the secrets of the client.'],
  invalid_token: ['The registration access token is not valid for this client.', 'Use the newest one: each update replaces it.'],
  not_permitted: ['The client is administratively disabled.', 'Operator: `dcr-broker registrations enable <client id>`.'],
  registration_quota: ['The token, or the policy, allows no more clients.', 'Delete one, or ask the operator for another token or policy.'],
  secret_limit: ['The client has as many secrets as it may.', 'Delete one; the number is MAX_SECRETS_PER_CLIENT.'],
  wrong_state: ['The registration is not in a state that allows it.', 'The sentence says what would: enable it, wait, or register anew.'],
  drifted: ['Somebody deleted the application in Entra.', 'Delete the registration and register anew.'],
  busy: ['Another operation on the client has not ended.', 'Repeat the request after Retry-After.'],
  temporarily_unavailable: ['Entra or the database does not answer in time. The work goes on or is undone.', 'Repeat the same request after Retry-After; it gets the same answer.'],
  throttled_upstream: ['Entra throttles the tenant.', 'Repeat the same request after Retry-After. Operator: who else writes to this tenant?'],
  upstream_credential: ['Entra refuses the broker\'s own credential.', 'Operator: `dcr-broker doctor`; renew the credential.'],
  upstream_permission: ['The broker lacks a Graph permission.', 'Operator: grant Application.ReadWrite.OwnedBy with admin consent; `dcr-broker doctor`.'],
  upstream_policy: ['A policy of the tenant forbids this kind or lifetime of secret, or this issuer.', 'Operator: change the app management policy, or the lifetime of secrets here.'],
  upstream_quota: ['The directory, or the application, is full.', 'Operator: raise the quota ([entra.md](entra.md#quota)), or delete something.'],
  upstream_rejected: ['Graph refused what it was sent; it is taken back.', 'Operator: the log has the reason under the request id.'],
  credential_unreadable: ['A stored secret does not open.', 'Rotate the secret. Operator: is a key missing in the keyring? `dcr-broker doctor`.'],
  key_in_flight: ['A request with the same `Idempotency-Key` is still being served.', 'Repeat the same request after Retry-After; it gets the same answer.'],
  key_reused: ['The `Idempotency-Key` was used for another request within the last 24 hours.', 'Use a new key for a new request.'],
  answer_void: ['What the `Idempotency-Key` has made was changed, rotated, disabled or ended since.', 'Read what was made, or use a new key to make another.']
}

const administrationErrors: Record<AdministrationErrorCode, readonly [meaning: string, remedy: string]> = {
  unknown: ['There is no such thing, or it belongs to a provider that the caller may not see.', 'Check the id and the provider of the key.'],
  invalid: ['A value is not acceptable.', 'invalid_parameters names the member and says what would be accepted.'],
  forbidden: ['The operator\'s key is bound to a provider, or lacks what it would give away.', 'Use a key that may.'],
  conflict: ['It contradicts what is there: a name that is taken, a thing in use, one that the environment defines.', 'The sentence says what is in the way.'],
  busy: ['Something else is at work on it.', 'Try again.']
}

/** Sections for docs/errors.md. */
export function errorCatalogue (): string {
  const codes = Object.keys(registrationErrors) as RegistrationErrorCode[]
  const statuses = Object.keys(KONNECT_REFUSALS).map(Number) as RefusalStatus[]
  return [
    '## Of registrations', '',
    table(['code', '`/register`', '`/konnect`', '`/v2`', 'what it means', 'what to do'], codes.map(code => {
      const [meaning, remedy] = registrationErrors[code]
      const [register, konnect] = [REGISTER_ROWS[code], KONNECT_ROWS[code]]
      return [`\`${code}\``, `${register.status} \`${register.error}\``, `${konnect.status} \`${konnect.error}\``, String(STATUSES[code]), meaning, remedy]
    })), '',
    '## Of administration', '',
    table(['code', '`/v2`', 'what it means', 'what to do'], (Object.keys(administrationErrors) as AdministrationErrorCode[]).map(code =>
      [`\`${code}\``, String(ADMINISTRATION_STATUSES[code]), ...administrationErrors[code]])), '',
    '## Of requests that no operation sees', '',
    table(['status', '`/register`', '`/konnect`', 'sentence'], statuses.map(status =>
      [String(status), `\`${REGISTER_REFUSALS[status]}\``, `\`${KONNECT_REFUSALS[status]}\``, new RequestRefusal(status).message]))
  ].join('\n')
}

function table (heading: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  return [heading, heading.map(() => '---'), ...rows].map(cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')
}
