// Use cases of RFC 7592: whoever holds the registration access token reads, replaces and ends his own registration.
import { takeHoldOfClient, workDeadline, type Call } from './access.ts'
import { clearing } from './clearing.ts'
import { addCredential, finish } from './client-secrets.ts'
import { sendOrRevert, wishOf } from './change-client.ts'
import type { Core } from './core.ts'
import { atMostUntil } from './deadline.ts'
import { RegistrationError } from './errors.ts'
import { isValid, needsSecret, newestActive } from './lifecycle.ts'
import { answerOf, type RegisteredClient } from './registered-client.ts'
import type { RequestedMetadata } from './metadata/requested-metadata.ts'
import type { Operation } from './operation.ts'
import { MANAGEMENT_TOKEN_PREFIX, acceptFor } from './register-document.ts'
import type { Caller, ClientMetadata, DirectoryApplication, Registration } from './registration.ts'
import { removeClient } from './remove-client.ts'
import { stopOnError } from './saga.ts'
import { secretLifetimeMs } from './secrets.ts'
import { sameProjection, translate } from './translation.ts'

/** A secret is renewed on PUT when less than this part of its life is left: 30 of 180 days. */
const RENEWAL_PART = 1 / 6

/** Somebody who has shown a registration access token. */
export interface Holder {
  registration: Registration
  token: string
  digest: Uint8Array
}

/** A request whose caller is known by its token. */
export type ManagementRequest = Pick<Call, 'requestId' | 'sourceAddress' | 'elapsedMs'>

export interface ReplaceDocument {
  requested: RequestedMetadata
  /** Must be the current one when it is there (RFC 7592 §2.2). */
  clientSecret: string | null
}

/**
 * Who holds this token. An unknown client and a wrong token are the same (RFC 7592 §2: 401, never 404).
 * @throws RegistrationError invalid_token
 */
export async function holderOf (core: Core, providerId: string, clientId: string, token: string): Promise<Holder> {
  const { store, vault } = core.ports
  const digest = vault.digestOf(token)
  const registration = await store.findHeld(providerId, clientId, digest)
  if (registration === null || !isManagedBy(registration, digest)) throw invalidToken()
  // The first use of the current token, whatever comes of the request, ends the one before it.
  if (isSame(digest, registration.managementDigest) && registration.previousManagementDigest !== null) {
    await store.endPreviousManagementToken(registration.id, digest)
    registration.previousManagementDigest = null
  }
  return { registration, token, digest }
}

/** The client as it is registered now, with its secret while that is valid, and the token that was shown. */
export async function readRegistration (core: Core, holder: Holder): Promise<RegisteredClient> {
  const { registration, token, digest } = holder
  if (registration.state !== 'active' && registration.state !== 'disabled') throw invalidToken()
  markReceived(core, registration)
  return { ...await shownAgain(core, registration, isSame(digest, registration.previousManagementDigest)), managementToken: token }
}

/**
 * Replaces the whole document (RFC 7592 §2.2: what is left out is deleted), within the policy that bounded the registration.
 * A secret near its end, or one that the new auth method needs, is issued; one that it does not need is revoked.
 */
export async function replaceRegistration (
  core: Core, holder: Holder, { requested, clientSecret }: ReplaceDocument, request: ManagementRequest
): Promise<RegisteredClient> {
  const { registration: before, token, digest } = holder
  if (before.state === 'disabled') throw new RegistrationError('not_permitted', 'The client is disabled. Its operator can enable it.')
  if (before.state !== 'active' || before.clientId === null) throw invalidToken()
  const policy = core.ports.catalogue.policy(before.policyId)
  if (clientSecret !== null && !isCurrentSecret(core, before, clientSecret)) {
    throw new RegistrationError('invalid_client_metadata', 'client_secret is not the current one. Leave it out, or send the one that was issued last.')
  }
  const metadata = acceptFor(core, before.providerId, policy, requested)
  markReceived(core, before)

  const operation = await takeHoldOfClient(core, { clientId: before.clientId }, callOf(before, request), workDeadline(core, request))
  const { registration } = operation
  // Another request may have rotated the token, or ended the client, before we got hold of it.
  if (!isManagedBy(registration, digest)) {
    await operation.release()
    throw invalidToken()
  }
  // First what may be refused: a client whose new auth method needs a secret must not be left without one.
  const willNeedSecret = needsSecret({ surface: registration.surface, metadata })
  const isFirstSecret = willNeedSecret && !hasValidSecret(operation)
  if (isFirstSecret) await addCredential(operation, 'credential.added')
  const minted = policy.rules.rotateManagementToken ? core.ports.vault.mintToken(MANAGEMENT_TOKEN_PREFIX) : null
  if (minted !== null) operation.setManagementToken(minted.digest, digest)
  await replaceDocument(core, operation, metadata)
  const isRenewed = !isFirstSecret && willNeedSecret && isNearItsEnd(operation) && await renewed(operation)
  // The answer is certain from here on; what is left to be removed is removed in the background if it can't be done now.
  await atMostUntil(operation.deadline, finish(operation), core.ports.clock)
  const client = isFirstSecret || isRenewed
    ? await answerOf(core, registration)
    : await shownAgain(core, registration, isSame(digest, before.previousManagementDigest))
  return { ...client, managementToken: minted?.token ?? token }
}

/** Ends the client: its id, secrets and tokens at once. */
export async function endRegistration (core: Core, { registration }: Holder, request: ManagementRequest): Promise<void> {
  if (registration.clientId === null) throw invalidToken()
  await removeClient(core, { clientId: registration.clientId }, callOf(registration, request))
}

/** Desired is committed first, then Entra gets it. What Entra refuses for good is taken back. @throws DirectoryError */
async function replaceDocument (core: Core, operation: Operation, metadata: ClientMetadata): Promise<void> {
  const { registration } = operation
  await stopOnError(operation, async () => {
    const wish = wishOf(registration)
    registration.metadata = metadata
    registration.renewedAt = core.ports.clock.now()
    const projection = project(core, operation)
    if (!sameProjection(projection, registration.projection)) {
      registration.projection = projection
      registration.desiredRevision += 1
    }
    operation.note('registration.replaced', 'succeeded', { revision: registration.desiredRevision })
    await operation.commit()
    if (registration.desiredRevision !== registration.appliedRevision) await sendOrRevert(operation, wish)
  })
}

/** A second secret beside one that still works. Its failure takes nothing away: the next update tries again. */
async function renewed (operation: Operation): Promise<boolean> {
  try {
    await addCredential(operation, 'credential.renewed')
    return true
  } catch (error) {
    operation.ports.log.warn({ err: error, registrationId: operation.registration.id }, 'A secret near its end could not be renewed')
    return false
  }
}

function hasValidSecret ({ registration, ports: { clock } }: Operation): boolean {
  const newest = newestActive(registration)
  return newest !== undefined && isValid(newest, clock.now())
}

// The older secret stays valid until its own end: a renewal takes nothing away.
function isNearItsEnd (operation: Operation): boolean {
  const newest = newestActive(operation.registration)
  if (newest === undefined || newest.expiresAt === null) return false
  const leftMs = newest.expiresAt.getTime() - operation.ports.clock.now().getTime()
  return leftMs < secretLifetimeMs(operation, operation.registration) * RENEWAL_PART
}

function project ({ ports: { catalogue } }: Core, { registration }: Operation): DirectoryApplication {
  const strategy = catalogue.strategy(registration.strategyId) ?? catalogue.defaultStrategy(registration.providerId)
  const identity = { registrationId: registration.id, installationId: catalogue.installationId() }
  const { rules } = catalogue.policy(registration.policyId)
  const projection = translate(registration.metadata, strategy, identity, { rules, scopes: catalogue.scopes(registration.providerId) })
  return { ...clearing(registration.projection, projection), enabled: registration.projection.enabled }
}

// Where the policy shows a secret once, a holder whose token is the previous one has not received the answer that showed it:
// within the redelivery window it is shown again.
async function shownAgain (core: Core, registration: Registration, hasLostAnswer: boolean): Promise<RegisteredClient> {
  const { catalogue, clock } = core.ports
  const client = await answerOf(core, registration)
  const eraseAt = newestActive(registration)?.eraseAt ?? null
  const isShown = catalogue.policy(registration.policyId).rules.discloseSecret || (hasLostAnswer && eraseAt !== null && eraseAt > clock.now())
  return isShown && needsSecret(registration) ? client : { ...client, clientSecret: null }
}

// A client id and its token are only in the answer: whoever names them has received it.
function markReceived ({ deliveries }: Core, registration: Registration): void {
  if (registration.delivery !== 'delivered') deliveries.mark(registration.id, 'delivered')
}

function isCurrentSecret ({ ports: { vault, clock } }: Core, { clientId, credentials }: Registration, secret: string): boolean {
  const now = clock.now()
  return credentials.some(credential =>
    clientId !== null && isValid(credential, now) && credential.verifier !== null && vault.isSecretOf(clientId, secret, credential.verifier))
}

function isManagedBy (registration: Registration, digest: Uint8Array): boolean {
  const isCurrent = isSame(digest, registration.managementDigest)
  const isPrevious = isSame(digest, registration.previousManagementDigest)
  return isCurrent || isPrevious
}

/** Both are hashes of a presented token: what can be learnt by timing is a hash of nothing anybody knows. */
function isSame (one: Uint8Array, other: Uint8Array | null): boolean {
  return other !== null && one.length === other.length && one.reduce((difference, byte, index) => difference | (byte ^ (other[index] ?? 0)), 0) === 0
}

function callOf (registration: Registration, request: ManagementRequest): Call {
  const caller: Caller = {
    id: registration.callerId,
    kind: 'registered_client',
    name: registration.clientId ?? registration.id,
    providerId: registration.providerId,
    scopes: [],
    policyId: registration.policyId,
    maxRegistrations: null
  }
  // The audit tells the holder of the token from the caller who once registered.
  return { ...request, caller, actor: `client:${registration.id}` }
}

function invalidToken (): RegistrationError {
  return new RegistrationError('invalid_token', 'The registration access token is not valid.')
}
