// Use case: a new client from an RFC 7591 document, within the bounds of the caller's policy. A dry run shows what it would become.
import { workDeadline, type Call } from './access.ts'
import type { Core } from './core.ts'
import { needsSecret } from './lifecycle.ts'
import { makeClient } from './make-client.ts'
import { begunClient, type RegisteredClient } from './registered-client.ts'
import { acceptMetadata } from './metadata/accept-metadata.ts'
import type { RequestedMetadata } from './metadata/requested-metadata.ts'
import { sharingKeyOf } from './metadata/sharing-key.ts'
import type { Policy } from './policy.ts'
import { UNNAMED, type Preview } from './preview.ts'
import { providerOf } from './register-client.ts'
import type { ClientMetadata, NewRegistration, Surface } from './registration.ts'
import { translate } from './translation.ts'

/** Registration access tokens say what they are: scanners of leaked secrets find them. */
export const MANAGEMENT_TOKEN_PREFIX = 'dcr_rat_'

export interface RegisterDocument {
  requested: RequestedMetadata
  /** Digest of the idempotency key and the request, by which a repeat is recognised; null: never. */
  fingerprint: string | null
  /** What the record of the idempotency key says: the registration to make, and whether an earlier request may have begun it. Null: there is none. */
  slot: { registrationId: string, isResumed: boolean } | null
}

/** @throws RegistrationError; UnansweredError around one when a registration was left behind that goes on */
export async function registerDocument (core: Core, { requested, fingerprint, slot }: RegisterDocument, call: Call): Promise<RegisteredClient> {
  const { vault } = core.ports
  const deadline = workDeadline(core, call)
  const begun = slot?.isResumed === true ? await begunClient(core, slot.registrationId, deadline) : null
  if (begun !== null) return await withNewToken(core, begun)
  const policy = policyOf(core, call)
  const metadata = acceptFor(core, providerOf(call), policy, requested)
  const sharingKey = policy.rules.sharePublicClients ? sharingKeyOf(metadata, text => Buffer.from(vault.digestOf(text)).toString('base64url')) : null
  const minted = sharingKey === null ? vault.mintToken(MANAGEMENT_TOKEN_PREFIX) : null
  const id = slot?.registrationId ?? core.ports.clock.uuid()
  const accepted = { id, surface: 'register', metadata, policy, fingerprint, sharingKey, managementDigest: minted?.digest ?? null } as const
  const entry = entryOf(core, accepted, call)
  const { client, isNew } = await makeClient(core, entry, call, deadline)
  if (isNew) return { ...client, managementToken: minted?.token ?? null }
  // RFC 7591 §3.2.1: a public client may have several instances. Each is answered what it has asked for.
  if (sharingKey !== null) return { ...client, registration: { ...client.registration, metadata } }
  return await withNewToken(core, client)
}

// Nobody has kept the token of the answer that was lost: the repeat gets a new one.
async function withNewToken ({ ports: { vault, store } }: Core, client: RegisteredClient): Promise<RegisteredClient> {
  const renewed = vault.mintToken(MANAGEMENT_TOKEN_PREFIX)
  const replaced = await store.replaceManagementToken(client.registration.id, renewed.digest)
  return { ...client, managementToken: replaced ? renewed.token : null }
}

/** Makes nothing. @throws RegistrationError as the registration would */
export function previewDocument (core: Core, requested: RequestedMetadata, call: Call): Preview {
  const policy = policyOf(core, call)
  const metadata = acceptFor(core, providerOf(call), policy, requested)
  const nothing = { fingerprint: null, sharingKey: null, managementDigest: null }
  const { projection } = entryOf(core, { id: core.ports.clock.uuid(), surface: 'register', metadata, policy, ...nothing }, call)
  return { policy: policy.name, metadata, projection }
}

/** The document within the bounds of a policy. @throws RegistrationError invalid_client_metadata, invalid_redirect_uri */
export function acceptFor ({ ports: { catalogue, clock } }: Core, providerId: string, { rules }: Policy, requested: RequestedMetadata): ClientMetadata {
  return acceptMetadata(requested, { rules, scopes: catalogue.scopes(providerId), now: clock.now(), unnamed: UNNAMED })
}

export interface Accepted {
  /** Of the registration: never used before. */
  id: string
  surface: Surface
  metadata: ClientMetadata
  policy: Policy
  fingerprint: string | null
  sharingKey: string | null
  managementDigest: Uint8Array | null
}

/** What is reserved for an accepted document. @throws RegistrationError invalid_request for a caller without a provider */
export function entryOf ({ ports: { catalogue, clock } }: Core, { id, surface, metadata, policy, ...rest }: Accepted, call: Call): NewRegistration {
  const providerId = providerOf(call)
  const strategy = catalogue.defaultStrategy(providerId)
  return {
    ...rest,
    id,
    providerId,
    strategyId: strategy.id,
    callerId: call.caller.id,
    policyId: policy.id,
    surface,
    metadata,
    projection: translate(metadata, strategy, { registrationId: id, installationId: catalogue.installationId() }, {
      rules: policy.rules, scopes: catalogue.scopes(providerId)
    }),
    konnect: null,
    verification: false,
    credentialId: needsSecret({ surface, metadata }) ? clock.uuid() : null,
    quota: { perCaller: call.caller.maxRegistrations, perPolicy: policy.rules.maxClients },
    createdAt: clock.now()
  }
}

function policyOf ({ ports: { catalogue } }: Core, { caller }: Call): Policy {
  return caller.kind === 'anonymous' ? catalogue.openPolicy() : catalogue.policy(caller.policyId)
}
