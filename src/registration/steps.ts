// The steps of the lifecycle. Each changes the record in memory; what is committed when is decided by saga.ts.
import { newestActive, revocable, uniqueNameOf, type Step } from './lifecycle.ts'
import type { Operation } from './operation.ts'
import { DirectoryError, type ApplicationIds } from './ports.ts'
import { idsOf, type Credential, type DirectoryApplication, type PermissionGrants, type Registration } from './registration.ts'
import { endCredential, isAccepted, issueSecret, proveSecret, removeStrays, revokePassword } from './secrets.ts'

/** While Entra replicates, the row is free for its owner between two looks. */
const LOOK_AGAIN_MS = 1_000
/** How often an ended row asks whether its provider is still on hold. */
const HELD_LOOK_AGAIN_MS = 5 * 60_000

/** A step that has to wait for Entra resolves to the milliseconds after which the row wants to be claimed again. */
export const steps: Record<Step, (operation: Operation) => Promise<number | void>> = {
  async ensure_application (operation) {
    const { registration, directory } = operation
    const ids = await operation.write(signal => directory.ensureApplication(uniqueNameOf(registration.id), registration.projection, signal))
    registration.objectId = ids.objectId
    registration.clientId = ids.clientId
    if (isWholeInCreation(registration.projection)) registration.appliedRevision = registration.desiredRevision
    registration.state = 'application_created'
  },

  async ensure_principal (operation) {
    const { registration, directory } = operation
    const { clientId } = idsOf(registration)
    registration.principalId = await operation.write(signal => directory.ensurePrincipal(clientId, registration.projection, signal))
    registration.state = 'principal_created'
  },

  async issue_secret (operation) {
    await issueSecret(operation, credentialInState(operation.registration, 'pending'))
    operation.registration.state = 'secret_issued'
  },

  async prove_secret (operation) {
    await proveSecret(operation, credentialInState(operation.registration, 'issued'))
  },

  async activate (operation) {
    const { registration } = operation
    const credential = registration.credentials.find(({ state }) => state === 'issued')
    if (credential !== undefined) {
      credential.state = 'active'
      operation.touch(credential)
    }
    registration.state = 'active'
    registration.activatedAt = operation.ports.clock.now()
    operation.note('registration.activated', 'succeeded', { client_id: registration.clientId, key_id: credential?.keyId ?? null })
  },

  async abandon_pending (operation) {
    await removeStrays(operation)
    for (const credential of operation.registration.credentials) {
      if (credential.state !== 'pending' && credential.state !== 'issued') continue
      if (credential.keyId !== null) await revokePassword(operation, credential)
      credential.state = 'lost'
      endCredential(operation, credential)
      operation.note('credential.lost', 'succeeded', { credential_id: credential.id })
    }
  },

  send_projection: sendProjection,

  async retire_secrets (operation) {
    for (const credential of operation.registration.credentials) {
      if (credential.state !== 'active') continue
      credential.state = 'revoking'
      credential.revokeAfter = operation.ports.clock.now()
      operation.touch(credential)
      operation.note('credential.revoking', 'succeeded', { key_id: credential.keyId })
    }
  },

  async revoke_secrets (operation) {
    for (const credential of revocable(operation.registration, operation.ports.clock.now())) await revokePassword(operation, credential)
  },

  async prove_successor (operation) {
    const credential = newestActive(operation.registration)
    if (credential !== undefined && !await isAccepted(operation, credential)) return LOOK_AGAIN_MS
  },

  async remove_strays (operation) {
    await removeStrays(operation)
    operation.registration.strayCheckAt = null
  },

  async remove_application (operation) {
    if (operation.registration.adoptedAt !== null) return await unlink(operation)
    const { registration, settings, ports } = operation
    const ids = await findIds(operation)
    if (ids !== null) await operation.write(signal => operation.directory.removeApplication(ids.objectId, signal))
    for (const credential of registration.credentials) endCredential(operation, credential)
    const undone = registration.state === 'undoing'
    const now = ports.clock.now()
    registration.endedAt = now
    registration.state = undone ? 'undone' : 'deleted'
    // An undone application is purged at once: while it is only soft-deleted it keeps its name and counts against the quota.
    const isPurgedAtOnce = undone || registration.verification || registration.purgeAt !== null
    const purgeAfterMs = isPurgedAtOnce ? 0 : settings.purgeAfterMs
    registration.purgeAt = ids === null ? null : new Date(now.getTime() + purgeAfterMs)
    operation.note(undone ? 'registration.undone' : 'registration.deleted', 'succeeded', { client_id: registration.clientId })
  },

  async purge_application (operation) {
    await purge(operation, idsOf(operation.registration))
    operation.registration.purgeAt = null
  },

  async sweep (operation) {
    const { registration, ports } = operation
    // After a restore nothing is removed before an operator has looked.
    if (await ports.store.isOnHold(registration.providerId)) return HELD_LOOK_AGAIN_MS
    const wasThere = await removeLate(operation)
    // The purge right after the deletion may have come before the deletion was visible.
    if (!wasThere && registration.state === 'undone' && registration.objectId !== null) await purge(operation, idsOf(registration))
    registration.sweeps += 1
  }
}

/** Removes for good what was made for a row that had ended. False: there is nothing. */
export async function removeLate (operation: Operation): Promise<boolean> {
  const { registration, directory } = operation
  const late = await operation.call(signal => directory.findApplication(uniqueNameOf(registration.id), signal))
  if (late === null) return false
  await operation.write(signal => directory.removeApplication(late.objectId, signal))
  await purge(operation, late)
  operation.note('registration.swept', 'succeeded', { client_id: late.clientId })
  return true
}

export async function sendProjection (operation: Operation): Promise<void> {
  const { registration, directory } = operation
  const { projection, principalId } = registration
  const { objectId } = idsOf(registration)
  await operation.write(signal => directory.updateApplication(objectId, projection, signal))
  const { federatedIdentities, enabled } = projection
  if (federatedIdentities !== null) await operation.write(signal => directory.syncFederatedIdentities(objectId, federatedIdentities, signal))
  if (projection.grants !== null && principalId !== null) await sendGrants(operation, principalId, projection.grants)
  if (enabled !== registration.appliedEnabled && principalId !== null) {
    await operation.write(signal => directory.setEnabled(principalId, enabled, signal))
    registration.appliedEnabled = enabled
  }
  registration.appliedRevision = registration.desiredRevision
  operation.note('registration.updated', 'succeeded', { revision: registration.appliedRevision })
}

// Entra: an upsert sets neither certificates nor federated identities, and grants need the principal.
function isWholeInCreation ({ certificates, federatedIdentities, grants, enabled }: DirectoryApplication): boolean {
  return enabled && grants === null && (certificates ?? []).length === 0 && (federatedIdentities ?? []).length === 0
}

// Granting is opt-in and needs far-reaching permissions: without them the client is registered all the same, and an administrator consents.
async function sendGrants (operation: Operation, principalId: string, grants: PermissionGrants): Promise<void> {
  try {
    await operation.write(signal => operation.directory.syncGrants(principalId, grants, signal))
  } catch (error) {
    if (!(error instanceof DirectoryError) || error.fault !== 'denied') throw error
    operation.note('registration.grant_denied', 'failed')
    operation.ports.log.warn({ registrationId: operation.registration.id, ...error.diagnostics },
      'Scopes could not be granted: the broker needs AppRoleAssignment.ReadWrite.All for application roles, DelegatedPermissionGrant.ReadWrite.All for delegated scopes')
  }
}

/** The end of an adopted client: the passwords that the broker made go, the application and everything else of it stay. */
async function unlink (operation: Operation): Promise<void> {
  const { registration, ports } = operation
  if (operation.mayHaveStrays) await removeStraysIfThere(operation)
  for (const credential of registration.credentials) {
    if (credential.state !== 'revoked' && credential.state !== 'lost') await revokePassword(operation, credential)
  }
  registration.endedAt = ports.clock.now()
  registration.state = 'deleted'
  // What was just removed and not visible then is of no use to anybody: nobody was told, or its client is gone.
  registration.strayCheckAt = null
  registration.purgeAt = null
  operation.note('registration.unlinked', 'succeeded', { client_id: registration.clientId })
}

async function removeStraysIfThere (operation: Operation): Promise<void> {
  try {
    await removeStrays(operation)
  } catch (error) {
    // Its application has been deleted in Entra, and its passwords with it.
    if (!(error instanceof DirectoryError) || error.fault !== 'missing') throw error
  }
}

async function purge (operation: Operation, ids: ApplicationIds): Promise<void> {
  try {
    await operation.write(signal => operation.directory.purgeApplication(ids, operation.registration.principalId, signal))
  } catch (error) {
    // Entra: some tenants let only a directory role purge. The soft delete stands; Entra purges it after 30 days.
    if (!(error instanceof DirectoryError) || error.fault !== 'denied') throw error
    operation.note('registration.purge_denied', 'failed')
    operation.ports.log.warn({ registrationId: operation.registration.id, ...error.diagnostics }, 'The tenant does not let the broker purge deleted applications')
  }
}

/** A run that died before its first commit does not know the ids; Entra does. */
async function findIds (operation: Operation): Promise<ApplicationIds | null> {
  const { registration, directory } = operation
  if (registration.objectId !== null) return idsOf(registration)
  const found = await operation.call(signal => directory.findApplication(uniqueNameOf(registration.id), signal))
  if (found !== null) {
    registration.objectId = found.objectId
    registration.clientId = found.clientId
  }
  return found
}

function credentialInState (registration: Registration, state: Credential['state']): Credential {
  const credential = registration.credentials.find(candidate => candidate.state === state)
  if (credential === undefined) throw new Error(`Registration ${registration.id} in state ${registration.state} has no ${state} credential`)
  return credential
}
