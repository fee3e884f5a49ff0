// What a fault of the directory or the database means: for the next attempt, and for the caller.
import { LeaseLostError, RegistrationError, type RegistrationErrorCode } from './errors.ts'
import { DirectoryError, StoreUnavailableError, VaultError, type DirectoryFault } from './ports.ts'

/** How long a new object may be invisible before "missing" means gone. Entra promises nothing; reports speak of up to two minutes. */
export const CREATION_WINDOW_MS = 120_000

const FIRST_BACKOFF_MS = 150
const LONGEST_BACKOFF_MS = 2_000

/** Faults that another attempt can't mend. */
const PERMANENT: ReadonlySet<DirectoryFault> = new Set(['unauthenticated', 'denied', 'policy', 'quota', 'rejected'])

/** What a fault means for a registration of this age: a young object is not missing, it is not visible yet. */
export function asSeenAt (ageMs: number, error: DirectoryError): DirectoryError {
  if (error.fault !== 'missing' || ageMs > CREATION_WINDOW_MS) return error
  const { message, outcomeUnknown, retryAfterMs, diagnostics } = error
  return new DirectoryError('replicating', message, { cause: error, outcomeUnknown, retryAfterMs, diagnostics })
}

export function isPermanent (error: DirectoryError): boolean {
  return PERMANENT.has(error.fault)
}

/**
 * THE retry rule of the broker: milliseconds to wait before the next attempt of the same call, or null when it must not be repeated.
 * Nothing else repeats a Graph call: neither the Graph client nor msal nor a surface.
 * @param attempt 0 for the first failed attempt
 * @param random 0 <= random < 1
 */
export function waitBeforeRepeat (error: DirectoryError, attempt: number, random: number): number | null {
  if (isPermanent(error)) return null
  if (error.fault === 'missing') return null
  const ceiling = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt)
  const backoffMs = ceiling / 2 + random * ceiling / 2
  // Retry-After is a floor, and 0, or a date that is over, no invitation to hurry; the jitter above it keeps replicas from coming back together.
  return Math.max(backoffMs, (error.retryAfterMs ?? 0) * (1 + random / 10))
}

/** Milliseconds before a row whose run failed is claimed again: 1 s, doubling, 5 minutes at most. */
export function waitBeforeResume (attempts: number, random: number): number {
  return Math.min(300_000, 1_000 * 2 ** Math.min(attempts, 9)) * (0.75 + random / 2)
}

const TEXTS: Record<DirectoryFault, { code: RegistrationErrorCode, text: string }> = {
  replicating: { code: 'temporarily_unavailable', text: 'Entra ID has not replicated the application yet. The work goes on; repeat the same request.' },
  conflicting: { code: 'temporarily_unavailable', text: 'Entra ID reports concurrent changes. The work goes on; repeat the same request.' },
  throttled: { code: 'throttled_upstream', text: 'Entra ID is throttling this tenant. The work goes on; repeat the same request later.' },
  unavailable: { code: 'temporarily_unavailable', text: 'Entra ID did not answer in time. The work goes on; repeat the same request.' },
  missing: { code: 'drifted', text: 'The application no longer exists in Entra ID: it was deleted there.' },
  unauthenticated: { code: 'upstream_credential', text: 'Entra ID refuses the credential of the broker. Its operator has to renew it.' },
  denied: { code: 'upstream_permission', text: 'The broker lacks a permission in Entra ID. Its operator has to grant Application.ReadWrite.OwnedBy with admin consent.' },
  policy: { code: 'upstream_policy', text: 'A policy of the Entra tenant forbids this kind or lifetime of secret, or this issuer. An operator has to change the policy or the lifetime.' },
  quota: { code: 'upstream_quota', text: 'A quota of the Entra directory or of the application has been reached. An operator has to raise it or remove something.' },
  rejected: { code: 'upstream_rejected', text: 'Entra ID refused what it was sent. It is taken back; the operator finds the reason in the log.' }
}

/** Any error of a use case as the one error of the core. Unknown errors stay what they are: a surface answers them as 500. */
export function toRegistrationError (error: unknown): unknown {
  if (error instanceof DirectoryError) {
    const { code, text } = TEXTS[error.fault]
    return new RegistrationError(code, text, { cause: error, retryAfterSeconds: retryAfterSeconds(error) })
  }
  if (error instanceof StoreUnavailableError) {
    return new RegistrationError('temporarily_unavailable', 'The database of the broker is not ready. Repeat the same request.', { cause: error, retryAfterSeconds: 5 })
  }
  if (error instanceof VaultError) {
    return new RegistrationError('credential_unreadable', 'A stored secret can\'t be read. Rotate it to get a new one.', { cause: error })
  }
  if (error instanceof LeaseLostError) return busy(error)
  return error
}

export function busy (cause?: unknown): RegistrationError {
  return new RegistrationError('busy', 'Another operation on this client is still under way. Repeat the request.', { cause, retryAfterSeconds: 2 })
}

/** The stored fault of a failed registration as the error that its repeat gets. */
export function errorOfFault (fault: string | null): RegistrationError {
  const known = TEXTS[fault as DirectoryFault] as { code: RegistrationErrorCode, text: string } | undefined
  return new RegistrationError(known?.code ?? 'temporarily_unavailable', known?.text ?? 'The registration did not finish and was undone. Repeat the request.', { retryAfterSeconds: 5 })
}

function retryAfterSeconds (error: DirectoryError): number | undefined {
  if (isPermanent(error) || error.fault === 'missing') return undefined
  return Math.max(2, Math.ceil((error.retryAfterMs ?? 0) / 1_000))
}
