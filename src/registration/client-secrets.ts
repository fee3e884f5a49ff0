// Use cases: the secrets of a client. Rotate, add, list, revoke.
import { getClient, takeHoldOfClient, workDeadline, type Call, type ClientName } from './access.ts'
import type { Core } from './core.ts'
import { atMostUntil, earlier } from './deadline.ts'
import { LeaseLostError, RegistrationError } from './errors.ts'
import { isValid, needsSecret, newestActive } from './lifecycle.ts'
import type { Operation } from './operation.ts'
import { DirectoryError } from './ports.ts'
import { pendingCredential, type Credential } from './registration.ts'
import { run, stopOnError } from './saga.ts'
import { issueSecret, proveSecret, revokePassword } from './secrets.ts'

/** A rotation answers with an unproved secret when the token endpoint has not accepted it this long before the deadline. */
const PROOF_RESERVE_MS = 1_000

export interface NewSecret {
  clientId: string
  secretId: string
  clientSecret: string
  createdAt: Date
  expiresAt: Date
}

export interface SecretMetadata {
  clientId: string
  secretId: string
  active: boolean
  createdAt: Date
  expiresAt: Date | null
}

/**
 * Replaces every secret by a new one: add, prove, commit, remove the older, answer. There is never no valid secret: what
 * could not be proved in time leaves the older ones for the background, for a minute at most.
 */
export async function rotateSecret (core: Core, name: ClientName, call: Call): Promise<NewSecret> {
  const operation = await takeHoldOfSecrets(core, name, call)
  const { credential, secret } = await addCredential(operation, 'credential.rotated', async credential => {
    await proveInTime(operation, credential)
    supersedeOthers(operation, credential)
  })
  // The answer is certain from here on; a database that hangs now must not hold it up.
  await atMostUntil(operation.deadline, finish(operation), core.ports.clock)
  return newSecret(operation, credential, secret)
}

/** @throws RegistrationError secret_limit when the client has as many secrets as it may have */
export async function addSecret (core: Core, name: ClientName, call: Call): Promise<NewSecret> {
  const operation = await takeHoldOfSecrets(core, name, call)
  const valid = operation.registration.credentials.filter(credential => isValid(credential, core.ports.clock.now()))
  if (valid.length >= core.settings.maxSecretsPerClient) {
    await operation.release()
    throw new RegistrationError('secret_limit', `The client has ${valid.length} secrets, which is the limit. Delete one first.`)
  }
  const { credential, secret } = await addCredential(operation, 'credential.added')
  // The answer is certain from here on; a database that hangs now must not hold it up.
  await atMostUntil(operation.deadline, finish(operation), core.ports.clock)
  return newSecret(operation, credential, secret)
}

/** The secrets the broker made for this client and has not removed, oldest first. No Graph call. */
export async function listSecrets (core: Core, name: ClientName, call: Call): Promise<SecretMetadata[]> {
  const registration = await getClient(core, name, call)
  const now = core.ports.clock.now()
  return registration.credentials
    .filter(credential => credential.keyId !== null && (credential.state === 'active' || credential.state === 'revoking'))
    .sort((one, other) => one.createdAt.getTime() - other.createdAt.getTime())
    .map(credential => ({
      clientId: registration.clientId as string,
      secretId: credential.keyId as string,
      active: isValid(credential, now),
      createdAt: credential.createdAt,
      expiresAt: credential.expiresAt
    }))
}

/** Already removed is success. @throws RegistrationError unknown_secret */
export async function revokeSecret (core: Core, name: ClientName, secretId: string, call: Call): Promise<void> {
  const operation = await takeHoldOfClient(core, name, call, workDeadline(core, call))
  const credential = operation.registration.credentials.find(candidate => candidate.keyId === secretId.toLowerCase())
  if (credential === undefined) {
    await operation.release()
    throw new RegistrationError('unknown_secret', 'The client has no such secret.')
  }
  if (credential.state === 'active' || credential.state === 'revoking') {
    credential.state = 'revoking'
    // Asked for by its owner: nothing to wait for.
    credential.revokeAfter = operation.ports.clock.now()
    operation.touch(credential)
    operation.note('credential.revoking', 'succeeded', { key_id: credential.keyId })
    // The wish is committed first: whatever happens to us, the secret is removed.
    await stopOnError(operation, () => operation.commit())
  }
  await stopOnError(operation, async () => {
    if (credential.state === 'revoking') await revokePassword(operation, credential)
    await operation.release()
  })
}

/** @throws RegistrationError invalid_request for a client that has no secrets */
async function takeHoldOfSecrets (core: Core, name: ClientName, call: Call): Promise<Operation> {
  const operation = await takeHoldOfClient(core, name, call, workDeadline(core, call))
  if (needsSecret(operation.registration)) return operation
  await operation.release()
  throw new RegistrationError('invalid_request', `The client has no secrets: it proves itself by ${operation.registration.metadata.tokenEndpointAuthMethod}.`)
}

/** pending (committed) -> issued -> active (committed). Until the second commit nobody has seen the secret; after it the answer is certain. */
export async function addCredential (operation: Operation, action: string, beforeCommit: (credential: Credential) => Promise<void> = async () => {}) {
  const { clock } = operation.ports
  const credential = pendingCredential(clock.uuid(), clock.now())
  operation.touch(credential)
  return await stopOnError(operation, async () => {
    await operation.commit()
    const issued = await issueSecret(operation, credential)
    const older = operation.registration.credentials.filter(({ state }) => state === 'active')
    await beforeCommit(credential)
    credential.state = 'active'
    operation.touch(credential)
    operation.note(action, 'succeeded', { key_id: credential.keyId })
    await commitInTime(operation, credential, older)
    return { credential, secret: issued.secretText }
  })
}

// A secret whose commit failed, or came too late to be answered, was never seen by anybody: it is given up, and the older ones stay.
async function commitInTime (operation: Operation, credential: Credential, older: readonly Credential[]): Promise<void> {
  try {
    await operation.commit()
    if (operation.deadline.remainingMs() === 0) throw new DirectoryError('unavailable', 'Committed after the deadline')
  } catch (error) {
    credential.state = 'issued'
    operation.touch(credential)
    for (const valid of older) {
      valid.state = 'active'
      valid.revokeAfter = null
      operation.touch(valid)
    }
    throw error
  }
}

async function proveInTime (operation: Operation, credential: Credential): Promise<void> {
  try {
    await proveSecret(operation, credential, earlier(operation.deadline, PROOF_RESERVE_MS))
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error
    operation.ports.log.info({ registrationId: operation.registration.id, fault: error.fault }, 'The new secret is not accepted yet; the older ones stay for the background')
  }
}

function supersedeOthers (operation: Operation, successor: Credential): void {
  const revokeAfter = new Date(operation.ports.clock.now().getTime() + operation.settings.supersededGraceMs)
  for (const credential of operation.registration.credentials) {
    if (credential === successor || credential.state !== 'active') continue
    credential.state = 'revoking'
    credential.revokeAfter = revokeAfter
    operation.touch(credential)
  }
}

/** Removes what was superseded if it can be done now. Its failure never fails the answer: the background goes on. */
export async function finish (operation: Operation): Promise<void> {
  try {
    const unproved = newestActive(operation.registration)?.provedAt === null
    const superseded = operation.registration.credentials.some(credential => credential.state === 'revoking')
    if (unproved && superseded) await operation.handOver(0)
    else await run(operation)
  } catch (error) {
    const level = error instanceof LeaseLostError ? 'info' : 'warn'
    operation.ports.log[level]({ err: error, registrationId: operation.registration.id }, 'Older secrets are removed in the background')
  }
}

function newSecret (operation: Operation, credential: Credential, clientSecret: string): NewSecret {
  return {
    clientId: operation.registration.clientId as string,
    secretId: credential.keyId as string,
    clientSecret,
    createdAt: credential.createdAt,
    expiresAt: credential.expiresAt as Date
  }
}
