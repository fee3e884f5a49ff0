/*
 * The lifecycle. This comment is the specification; the code below and in steps.ts is its translation.
 *
 *  registration   reserved -> application_created -> principal_created -> secret_issued -> active -> deleting -> deleted
 *                     \______________\____________________\____________________\______-> undoing -> undone
 *                 active <-> disabled, drifted
 *  projection     desiredRevision  vs  appliedRevision   (commit desired, send the whole projection, commit applied)
 *  credential     pending -> issued -> active -> revoking -> revoked | lost
 *
 *  - Row first. A row is committed before the first Graph write and is never physically deleted. Entra's uniqueName is
 *    `dcr-<registration id>`: ours, never a display name, never used again.
 *  - Steps never call each other. nextStep() looks at the record and says what comes next; a crash anywhere is a resume.
 *  - Two commits on the happy path: reserve and activate. The states between live in memory and are written only when a
 *    run is handed over, fails or is claimed. A resumed run may begin again at `reserved` and finds what is there.
 *  - Every step may run twice. "Already there" and "already gone" are success. An unknown outcome (timeout, reset, 5xx
 *    after sending) is answered by looking, not by assuming.
 *  - addPassword alone can't be repeated: the credential's id is in the password's displayName, `dcr:<registration>:<credential>`.
 *    Before it is tried again, passwords that carry our label and a keyId the row does not know are removed, one by one.
 *    A password the broker did not make is never touched.
 *  - One operation per application over all replicas: a row lease on PostgreSQL's clock with a fencing token. The token does
 *    not fence Graph, so a Graph call starts only while the lease has more than one attempt timeout plus 5 s left (monotonic
 *    clock) and is aborted at the attempt timeout; a claimer waits for the lease's end plus one attempt timeout; a commit
 *    that finds the lease lost removes the password it has just made.
 *  - What fails for good (permission, policy, quota, refusal) is undone. Undo deletes and purges: a soft-deleted
 *    application keeps its name. What merely takes too long is handed over and goes on in the background; if its answer was
 *    never delivered when the redelivery window ends, it is undone.
 *  - A client without a secret (public, or proving itself by a key) skips secret_issued. What an upsert can't set, its certificates
 *    and federated identities, follows as a projection before `active`.
 *  - Secrets that an update has made needless (another auth method) are retired once Entra has the update.
 *  - Expiry disables first (accountEnabled: false, part of the projection) and deletes after the grace period of the policy.
 *  - A superseded secret is removed once the token endpoint has accepted the newer one, and after 60 s at the latest: there
 *    is never a moment without a valid secret. A failed removal is repeated in the background, it never fails an answer.
 *  - An adopted application is not ours: it is neither changed nor deleted, purged nor swept, and has no uniqueName of ours. The
 *    end of its registration removes the passwords the broker made, one by one, and nothing else.
 *  - What an operator has switched off expiry neither switches on nor deletes.
 *  - An ended row (deleted, undone) is looked at again after 10 minutes and after 24 hours: a create that landed late is
 *    removed and purged then, unless the provider is on hold: an application newer than what the database knows means a restored
 *    database (src/reconciliation).
 */
import type { CoreSettings } from './settings.ts'
import type { Credential, Registration } from './registration.ts'

export type Step =
  | 'ensure_application' | 'ensure_principal' | 'issue_secret' | 'prove_secret' | 'activate'
  | 'abandon_pending' | 'send_projection' | 'retire_secrets' | 'revoke_secrets' | 'prove_successor' | 'remove_strays'
  | 'remove_application' | 'purge_application' | 'sweep'

/** The next step, decided from the record alone; null when there is nothing to do at this moment. */
export function nextStep (registration: Registration, now: Date, settings: CoreSettings): Step | null {
  switch (registration.state) {
    case 'reserved': return 'ensure_application'
    case 'application_created': return 'ensure_principal'
    case 'principal_created': return nextOfPrincipal(registration)
    case 'secret_issued': return settings.proveOnCreate && !isProved(registration) ? 'prove_secret' : nextBeforeActive(registration)
    case 'active':
    case 'disabled': return nextUpkeep(registration, now)
    case 'deleting':
    case 'undoing': return 'remove_application'
    case 'deleted':
    case 'undone': return nextAfterEnd(registration, now, settings)
    case 'drifted': return null
  }
}

/** When the record wants to be claimed next, in milliseconds from now; null: never by itself. */
export function dueInMs (registration: Registration, now: Date, settings: CoreSettings): number | null {
  if (nextStep(registration, now, settings) !== null) return 0
  const times = waitingTimes(registration, settings).filter(time => time !== null)
  if (times.length === 0) return null
  return Math.max(0, Math.min(...times.map(time => time.getTime())) - now.getTime())
}

// Only what nextStep() does in this state: a row that is due without a step would be claimed again and again.
function waitingTimes (registration: Registration, settings: CoreSettings): Array<Date | null> {
  if (isEnded(registration)) return [registration.purgeAt, nextSweepAt(registration, settings)]
  if (registration.state === 'drifted') return []
  return [registration.strayCheckAt, ...registration.credentials.filter(isRevoking).map(credential => credential.revokeAfter)]
}

/** Still on its way to `active`. */
export function isBeingMade (registration: Registration): boolean {
  return ['reserved', 'application_created', 'principal_created', 'secret_issued'].includes(registration.state)
}

/** Nothing of it is left for a caller: deleted, undone, or on the way there. */
export function isGone (registration: Registration): boolean {
  return ['deleting', 'deleted', 'undoing', 'undone'].includes(registration.state)
}

export function isEnded (registration: Pick<Registration, 'state'>): boolean {
  return registration.state === 'deleted' || registration.state === 'undone'
}

/** The Entra application's uniqueName: ours, never used again. */
export function uniqueNameOf (registrationId: string): string {
  return `dcr-${registrationId}`
}

/** The password's displayName: how a leftover of ours is recognised. */
export function secretLabelOf (registrationId: string, credentialId: string): string {
  return `${secretLabelPrefix(registrationId)}${credentialId}`
}

export function secretLabelPrefix (registrationId: string): string {
  return `dcr:${registrationId}:`
}

/** Konnect's clients always have one; others only for the two auth methods that show it to the token endpoint. */
export function needsSecret ({ surface, metadata }: Pick<Registration, 'surface' | 'metadata'>): boolean {
  return surface === 'konnect' || ['client_secret_basic', 'client_secret_post'].includes(metadata.tokenEndpointAuthMethod)
}

/** The newest credential that callers hold or will hold. */
export function newestActive (registration: Registration): Credential | undefined {
  return registration.credentials
    .filter(credential => credential.state === 'active')
    .sort((one, other) => other.createdAt.getTime() - one.createdAt.getTime())[0]
}

/** A secret that the token endpoint takes, as far as the record knows. */
export function isValid (credential: Credential, now: Date): boolean {
  return credential.state === 'active' && (credential.expiresAt === null || credential.expiresAt > now)
}

/** The revoking credentials that may go now: all once a newer one is proved (or none is left to wait for), else those whose time is over. */
export function revocable (registration: Registration, now: Date): Credential[] {
  const successor = newestActive(registration)
  const replaced = successor === undefined || successor.provedAt !== null
  return registration.credentials.filter(credential => isRevoking(credential) && (replaced || isDue(credential.revokeAfter, now)))
}

function nextOfPrincipal (registration: Registration): Step {
  return registration.credentials.some(({ state }) => state === 'pending') ? 'issue_secret' : nextBeforeActive(registration)
}

// What Entra refuses must show while the registration can still be undone.
function nextBeforeActive (registration: Registration): Step {
  return registration.desiredRevision === registration.appliedRevision ? 'activate' : 'send_projection'
}

function nextUpkeep (registration: Registration, now: Date): Step | null {
  // A pending credential of an active client belongs to an operation that died: nobody has seen its secret.
  if (registration.credentials.some(credential => credential.state === 'pending' || credential.state === 'issued')) return 'abandon_pending'
  if (registration.desiredRevision !== registration.appliedRevision || isSwitchedWrong(registration)) return 'send_projection'
  if (!needsSecret(registration) && registration.credentials.some(({ state }) => state === 'active')) return 'retire_secrets'
  if (revocable(registration, now).length > 0) return 'revoke_secrets'
  if (registration.credentials.some(isRevoking) && hasSealed(newestActive(registration))) return 'prove_successor'
  if (registration.strayCheckAt !== null && isDue(registration.strayCheckAt, now)) return 'remove_strays'
  return null
}

// Whether Entra has heard of the last switch was not sure.
function isSwitchedWrong ({ projection, appliedEnabled, principalId }: Registration): boolean {
  return principalId !== null && projection.enabled !== appliedEnabled
}

function nextAfterEnd (registration: Registration, now: Date, settings: CoreSettings): Step | null {
  if (registration.purgeAt !== null && isDue(registration.purgeAt, now)) return 'purge_application'
  const sweepAt = nextSweepAt(registration, settings)
  return sweepAt !== null && isDue(sweepAt, now) ? 'sweep' : null
}

function nextSweepAt (registration: Registration, settings: CoreSettings): Date | null {
  const delayMs = settings.sweepDelaysMs[registration.sweeps]
  if (delayMs === undefined || registration.endedAt === null || registration.adoptedAt !== null) return null
  return new Date(registration.endedAt.getTime() + delayMs)
}

function hasSealed (credential: Credential | undefined): boolean {
  return credential !== undefined && credential.sealed !== null
}

function isRevoking (credential: Credential): boolean {
  return credential.state === 'revoking'
}

function isProved (registration: Registration): boolean {
  return registration.credentials.some(credential => credential.state === 'issued' && credential.provedAt !== null)
}

/** No time means at once. */
function isDue (time: Date | null, now: Date): boolean {
  return time === null || time.getTime() <= now.getTime()
}
