// What the verification of a provider has found, in words: what is wrong, and what to do about it.
import type { DirectoryError, DirectoryFault } from '../registration/ports.ts'

/** What is tried, in this order. */
export type Check = 'token' | 'expiry' | 'permission' | 'principal' | 'secret' | 'cleanup'

export interface Finding {
  check: Check
  outcome: 'passed' | 'failed' | 'warning'
  /** A sentence or two. Holds no secret. */
  detail: string
}

/** Whose credential it is, and where. */
export interface FindingContext {
  tenantId: string
  clientId: string
  authorityHost: string
}

const DAY_MS = 86_400_000
/** The longest first. */
const DAYS_BEFORE_END = [30, 7, 1]

type Words = (context: FindingContext) => string

/** Entra: AADSTS codes that a wrong configuration gets. */
const refusals: Readonly<Record<string, Words>> = {
  AADSTS53003: () => 'A conditional access policy blocks the broker\'s workload identity: exclude it there.',
  AADSTS70021: () => 'No federated credential of the application matches issuer, subject and audience of the platform\'s token: add one.',
  AADSTS90002: ({ tenantId, authorityHost }) => `Wrong tenant: there is no tenant ${tenantId} at ${authorityHost}. Check the issuer.`,
  AADSTS500011: () => 'Microsoft Graph is not known in the tenant under this address: check graph_base_url and the cloud.',
  AADSTS700016: ({ tenantId, clientId }) => `Invalid client id: there is no application ${clientId} in tenant ${tenantId}. Check dcr_config.initial_client_id, and the tenant in the issuer.`,
  AADSTS700024: () => 'The assertion is outside its time of validity: check the clock of the broker, or the renewal of the platform\'s token.',
  AADSTS700027: ({ clientId }) => `The certificate is not registered with application ${clientId}, or has expired: upload it there, or use another.`,
  AADSTS700211: () => 'No federated credential of the application has the issuer of the platform\'s token: add one.',
  AADSTS700212: () => 'No federated credential of the application has the audience of the platform\'s token: correct it.',
  AADSTS700213: () => 'No federated credential of the application has the subject of the platform\'s token: correct it.',
  AADSTS7000112: ({ clientId }) => `The application ${clientId} is disabled: enable its service principal.`,
  AADSTS7000215: ({ clientId }) => `The secret is wrong: application ${clientId} has no such secret. Its value is needed, not its id.`,
  AADSTS7000222: ({ clientId }) => `The secret has expired: make a new one for application ${clientId} and give it to the provider.`,
  AADSTS7000229: ({ clientId }) => `Missing consent: application ${clientId} has no service principal in the tenant. Grant admin consent once.`
}

const PERMISSION = 'Application.ReadWrite.OwnedBy'

const faults: Readonly<Record<DirectoryFault, Words>> = {
  replicating: () => 'Entra ID was still replicating what had just been made. Verify again in a minute.',
  conflicting: () => 'Another change was under way in Entra ID. Verify again in a minute.',
  throttled: () => 'Entra ID is throttling this tenant. Verify again later.',
  unavailable: () => 'Entra ID did not answer in time. Verify again; if it stays so, look whether the broker reaches the sign-in host and Microsoft Graph.',
  missing: () => 'What had just been made is not there: somebody, or a policy, removes new applications.',
  unauthenticated: () => 'Microsoft Graph does not accept the broker\'s token: check graph_base_url and the cloud.',
  denied: ({ clientId }) => `Missing consent: application ${clientId} lacks the application permission ${PERMISSION} of Microsoft Graph. Add it and grant admin consent.`,
  policy: () => 'A policy of the tenant forbids it.',
  quota: () => 'A quota of the directory has been reached: remove applications that nobody needs, deleted ones included, or have it raised.',
  rejected: () => 'Microsoft Graph refuses what it was sent; the log of the broker has its answer.'
}

export function passed (check: Check, detail: string): Finding {
  return { check, outcome: 'passed', detail }
}

export function tokenRefused (error: DirectoryError, context: FindingContext): Finding {
  const { code, reason } = error.diagnostics
  const known = refusals[String(code)]
  if (known !== undefined) return failed('token', known(context))
  // A file or a stored value that can't be used: the message is ours, and says which.
  if (reason === 'credential_unusable' || reason === 'provider_unusable') return failed('token', `The credential can't be used: ${error.message}.`)
  if (error.fault !== 'unauthenticated') return failed('token', faults[error.fault](context))
  return failed('token', `Entra ID refuses the credential${code === undefined ? '' : ` with ${code}`}.`)
}

export function refused (check: Check, error: DirectoryError, context: FindingContext): Finding {
  return failed(check, faults[error.fault](context))
}

/** @param lifetimeDays of the secret that was asked for: the longest that the broker issues */
export function secretRefused (error: DirectoryError, context: FindingContext, lifetimeDays: number): Finding {
  if (error.fault !== 'policy') return refused('secret', error, context)
  return failed('secret', `A policy of the tenant forbids secrets, or secrets that last ${lifetimeDays} days: change the policy, or shorten KONNECT_SECRET_LIFETIME_DAYS and REGISTER_SECRET_LIFETIME_DAYS.`)
}

export function leftBehind (error: DirectoryError, uniqueName: string): Finding {
  const detail = error.fault === 'denied'
    ? `The tenant does not let the broker purge deleted applications: Entra ID purges them after 30 days. The test application is [${uniqueName}].`
    : `The test application [${uniqueName}] could not be removed: delete it in Entra ID.`
  return { check: 'cleanup', outcome: 'warning', detail }
}

/** Null: its end is not known. */
export function expiryOf (expiresAt: Date | null, now: Date, isAccepted: boolean): Finding | null {
  if (expiresAt === null) return null
  const leftMs = expiresAt.getTime() - now.getTime()
  const day = expiresAt.toISOString().slice(0, 10)
  if (leftMs <= 0) {
    return isAccepted
      ? { check: 'expiry', outcome: 'warning', detail: `The credential should have expired on ${day}, and Entra ID still accepts it: its end was given wrongly.` }
      : failed('expiry', `The credential expired on ${day}: add another, verify it and activate it.`)
  }
  const bound = DAYS_BEFORE_END.filter(days => leftMs <= days * DAY_MS).at(-1)
  if (bound === undefined) return passed('expiry', `The credential expires on ${day}.`)
  const within = bound === 1 ? 'a day' : `${bound} days`
  return { check: 'expiry', outcome: 'warning', detail: `The credential expires within ${within}, on ${day}: add another, verify it and activate it.` }
}

function failed (check: Check, detail: string): Finding {
  return { check, outcome: 'failed', detail }
}
