// Making, proving and clearing away the passwords of one application.
import type { Deadline } from './deadline.ts'
import { secretLabelOf, secretLabelPrefix } from './lifecycle.ts'
import type { Operation } from './operation.ts'
import { DirectoryError, type IssuedSecret, type SealedPlace } from './ports.ts'
import type { Credential, Surface } from './registration.ts'

/** Entra: the clocks of its servers may be behind ours; a secret must not begin in their future. */
const CLOCK_SKEW_MS = 5 * 60_000
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
  const endsAt = new Date(now + settings.secretLifetimeMs[registration.surface])
  const issued = await operation.call(async signal => {
    if (operation.mayHaveStrays) await removeStraysOnce(operation, objectId, signal)
    try {
      return await directory.issueSecret(objectId, secretLabelOf(registration.id, credential.id), startsAt, endsAt, signal)
    } catch (error) {
      if (error instanceof DirectoryError && error.outcomeUnknown) {
        operation.mayHaveStrays = true
        registration.strayCheckAt = new Date(ports.clock.now().getTime() + STRAY_CHECK_MS)
      }
      throw error
    }
  })
  operation.remember(issued.keyId)
  credential.keyId = issued.keyId
  credential.hint = issued.hint
  credential.expiresAt = issued.expiresAt
  credential.sealed = await ports.vault.seal(issued.secretText, secretPlace(credential.id))
  credential.verifier = ports.vault.verifierOf(registration.clientId, issued.secretText)
  credential.eraseAt = eraseTime(registration.surface, now, settings.redeliveryWindowMs)
  credential.state = 'issued'
  operation.touch(credential)
  return issued
}

/** Waits until the token endpoint accepts the secret. Throws DirectoryError `replicating` when the deadline comes first. */
export async function proveSecret (operation: Operation, credential: Credential, deadline?: Deadline): Promise<void> {
  const { registration, directory, ports } = operation
  const clientId = registration.clientId
  if (credential.sealed === null || clientId === null) return
  const secretText = await ports.vault.open(credential.sealed, secretPlace(credential.id))
  await operation.call(async signal => {
    if (!await directory.probeSecret(clientId, secretText, signal)) {
      throw new DirectoryError('replicating', 'The token endpoint does not accept the new secret yet')
    }
  }, deadline)
  credential.provedAt = ports.clock.now()
  operation.touch(credential)
}

/** Removes passwords that carry this registration's label and that its row does not know. Others are never touched. */
export async function removeStrays (operation: Operation): Promise<void> {
  const objectId = operation.registration.objectId
  if (objectId === null) return
  await operation.call(signal => removeStraysOnce(operation, objectId, signal))
}

async function removeStraysOnce (operation: Operation, objectId: string, signal: AbortSignal): Promise<void> {
  const { registration, directory } = operation
  const known = new Set(registration.credentials.map(credential => credential.keyId))
  const label = secretLabelPrefix(registration.id)
  for (const secret of await directory.listSecrets(objectId, signal)) {
    if (secret.label?.startsWith(label) !== true || known.has(secret.keyId)) continue
    await directory.revokeSecret(objectId, secret.keyId, signal)
    operation.note('credential.stray_removed', 'succeeded', { key_id: secret.keyId })
  }
  operation.mayHaveStrays = false
}

// Konnect shows a secret once and never asks again: the sealed copy only serves a repeat within the redelivery window.
function eraseTime (surface: Surface, nowMs: number, redeliveryWindowMs: number): Date | null {
  return surface === 'konnect' ? new Date(nowMs + redeliveryWindowMs) : null
}
