// Making, proving and clearing away the passwords of one application.
import type { Deadline } from './deadline.ts'
import { CREATION_WINDOW_MS } from './failures.ts'
import { secretLabelOf } from './lifecycle.ts'
import type { Operation } from './operation.ts'
import { DirectoryError, type IssuedSecret, type SealedPlace } from './ports.ts'
import { idsOf, type Credential, type Registration } from './registration.ts'

/** Ours may be fast, and the clocks of Entra's servers behind; a secret must not begin in their future. */
const CLOCK_SKEW_MS = 15 * 60_000
/** A probe changes nothing and costs Graph nothing: it is repeated evenly, the last time at the deadline. */
const PROBE_INTERVAL_MS = 250
const DAY_MS = 86_400_000
/** When a password whose answer never came is looked for once more. */
const STRAY_CHECK_MS = 10 * 60_000

/** Where a client's sealed secret lives. */
export function secretPlace (credentialId: string): SealedPlace {
  return { table: 'credential', rowId: credentialId, column: 'secret' }
}

/**
 * addPassword for a pending credential, sealed into it; the credential becomes `issued`. Not committed yet.
 * The only Graph write that can't be repeated: after an unknown outcome leftovers are removed before the next attempt.
 */
export async function issueSecret (operation: Operation, credential: Credential): Promise<IssuedSecret> {
  const { registration, directory, ports, settings } = operation
  const objectId = registration.objectId
  if (objectId === null || registration.clientId === null) throw new Error(`Registration ${registration.id} has no application`)
  const now = ports.clock.now().getTime()
  const startsAt = new Date(now - CLOCK_SKEW_MS)
  const endsAt = new Date(now + secretLifetimeMs(operation, registration))
  const issued = await operation.write(async signal => {
    if (operation.mayHaveStrays) await removeStraysOnce(operation, objectId, signal)
    try {
      return await directory.issueSecret(objectId, secretLabelOf(registration.id, credential.id), startsAt, endsAt, signal)
    } catch (error) {
      if (error instanceof DirectoryError && error.outcomeUnknown) operation.mayHaveStrays = true
      throw error
    }
  })
  operation.remember(issued.keyId)
  credential.keyId = issued.keyId
  credential.hint = issued.hint
  credential.expiresAt = issued.expiresAt
  credential.sealed = await ports.vault.seal(issued.secretText, secretPlace(credential.id))
  credential.verifier = ports.vault.verifierOf(registration.clientId, issued.secretText)
  credential.eraseAt = isShownAgain(operation, registration) ? issued.expiresAt : new Date(now + settings.redeliveryWindowMs)
  credential.state = 'issued'
  operation.touch(credential)
  return issued
}

/** Asks the token endpoint once. A secret whose sealed copy is gone can't be asked for: false. */
export async function isAccepted (operation: Operation, credential: Credential, deadline: Deadline = operation.deadline): Promise<boolean> {
  const { registration: { clientId }, directory, ports } = operation
  if (credential.sealed === null || clientId === null) return false
  const secretText = await ports.vault.open(credential.sealed, secretPlace(credential.id))
  if (!await operation.call(signal => directory.probeSecret(clientId, secretText, signal), deadline)) return false
  credential.provedAt = ports.clock.now()
  operation.touch(credential)
  return true
}

/** Waits until the token endpoint accepts the secret. Throws DirectoryError `replicating` when the deadline comes first. */
export async function proveSecret (operation: Operation, credential: Credential, deadline: Deadline = operation.deadline): Promise<void> {
  const { clock } = operation.ports
  while (!await isAccepted(operation, credential, deadline)) {
    const waitMs = Math.min(PROBE_INTERVAL_MS, deadline.remainingMs())
    if (waitMs === 0) throw new DirectoryError('replicating', 'The token endpoint does not accept the new secret yet')
    await clock.sleep(waitMs)
  }
}

/** Removes passwords that carry the label of one of this row's credentials and a keyId it does not know. Others are never touched. */
export async function removeStrays (operation: Operation): Promise<void> {
  const objectId = operation.registration.objectId
  if (objectId === null) return
  await operation.write(signal => removeStraysOnce(operation, objectId, signal))
}

async function removeStraysOnce (operation: Operation, objectId: string, signal: AbortSignal): Promise<void> {
  const { registration, directory, ports } = operation
  // One that was revoked and is still there was not visible when it was removed.
  const known = new Set(registration.credentials.filter(({ state }) => state !== 'revoked' && state !== 'lost').map(({ keyId }) => keyId))
  // A credential is committed before its password is made: a label that names none is of rows that a restore has lost, and may be in use.
  const labels = new Set(registration.credentials.map(({ id }) => secretLabelOf(registration.id, id)))
  for (const secret of await directory.listSecrets(objectId, signal)) {
    if (secret.label === null || !labels.has(secret.label) || known.has(secret.keyId)) continue
    await directory.revokeSecret(objectId, secret.keyId, signal)
    operation.note('credential.stray_removed', 'succeeded', { key_id: secret.keyId })
  }
  operation.mayHaveStrays = false
  // Reads go backwards in Entra, and a request may still be on its way: one look is not the last.
  registration.strayCheckAt = new Date(ports.clock.now().getTime() + STRAY_CHECK_MS)
}

/** Removes one password from Entra and ends its credential. Already gone is success. */
export async function revokePassword (operation: Operation, credential: Credential): Promise<void> {
  const { registration, directory, ports } = operation
  const { keyId } = credential
  if (keyId !== null) {
    const { objectId } = idsOf(registration)
    await operation.write(signal => directory.revokeSecret(objectId, keyId, signal))
    const now = ports.clock.now().getTime()
    // "Already gone" may mean "not visible yet": a young password is looked for again.
    if (now - credential.createdAt.getTime() < CREATION_WINDOW_MS) registration.strayCheckAt = new Date(now + STRAY_CHECK_MS)
  }
  endCredential(operation, credential)
  operation.note('credential.revoked', 'succeeded', { key_id: keyId })
}

/** A secret that no longer works has no business in the database. */
export function endCredential (operation: Operation, credential: Credential): void {
  if (credential.state !== 'revoked' && credential.state !== 'lost') credential.state = credential.keyId === null ? 'lost' : 'revoked'
  credential.sealed = null
  credential.eraseAt = null
  operation.touch(credential)
}

/** How long a secret of this client lives: what its policy says, else the setting of its surface. */
export function secretLifetimeMs ({ ports, settings }: Pick<Operation, 'ports' | 'settings'>, { policyId, surface }: Registration): number {
  const days = policyId === null ? null : ports.catalogue.policy(policyId).rules.secretLifetimeDays
  return days === null ? settings.secretLifetimeMs[surface] : days * DAY_MS
}

// Konnect and operators show a secret once and never ask again: the sealed copy only serves a repeat within the redelivery window.
// Clients of RFC 7592 are shown it for as long as it is valid.
function isShownAgain ({ ports }: Operation, { policyId, surface }: Registration): boolean {
  return surface === 'register' && (policyId === null || ports.catalogue.policy(policyId).rules.discloseSecret)
}
