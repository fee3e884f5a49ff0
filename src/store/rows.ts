// Rows -> records.
import type { Sealed, Verifier } from '../registration/ports.ts'
import {
  noEntraSettings, pendingCredential, type ClientMetadata, type Credential, type CredentialState, type Delivery, type EntraSettings, type KonnectContext,
  type NewRegistration,
  type Registration, type RegistrationState, type Surface
} from '../registration/registration.ts'
import type { CredentialModel, RegistrationModel } from './generated/models.ts'

/** What no record has: the work on a row, and what its answers are found by, belong to the statements. */
type OfStatements =
  'clientName' | 'openFingerprint' | 'deliveredAt' | 'redeliverUntil' | 'leaseToken' | 'leaseUntil' | 'dueAt' | 'turnAt'

export type CredentialRow = Omit<CredentialModel, 'registrationId' | 'updatedAt'>
export type RegistrationRow = Omit<RegistrationModel, OfStatements> & { credentials: CredentialRow[] }

export function toRegistration (row: RegistrationRow): Registration {
  return {
    id: row.id,
    providerId: row.providerId,
    strategyId: row.strategyId,
    callerId: row.callerId,
    policyId: row.policyId,
    surface: row.surface as Surface,
    state: row.state as RegistrationState,
    metadata: toMetadata(row.metadata),
    projection: {
      displayName: row.displayName,
      description: row.description,
      tags: row.tags,
      accessTokenVersion: row.accessTokenVersion === 2 ? 2 : 1,
      redirectUris: { web: row.webRedirectUris, publicClient: row.publicRedirectUris, spa: row.spaRedirectUris },
      ...noEntraSettings,
      ...row.entraSettings as unknown as Partial<EntraSettings>,
      enabled: row.accountEnabled
    },
    desiredRevision: row.desiredRevision,
    appliedRevision: row.appliedRevision,
    appliedEnabled: row.appliedEnabled,
    managementDigest: row.managementDigest,
    previousManagementDigest: row.previousDigest,
    sharingKey: row.sharingKey,
    objectId: row.objectId,
    clientId: row.clientId,
    principalId: row.principalId,
    konnect: row.konnect as unknown as KonnectContext | null,
    applicationId: row.applicationId,
    verification: row.verification,
    delivery: row.delivery as Delivery,
    credentials: row.credentials.map(toCredential),
    attempts: row.attempts,
    lastFault: row.lastFault,
    strayCheckAt: row.strayCheckAt,
    sweeps: row.sweeps,
    purgeAt: row.purgeAt,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    activatedAt: row.activatedAt,
    renewedAt: row.renewedAt,
    lastUsedAt: row.lastUsedAt,
    seenAt: row.seenAt,
    disabledAt: row.disabledAt,
    disabledBy: row.disabledBy as Registration['disabledBy'],
    endedAt: row.endedAt,
    labels: row.labels as Record<string, string>,
    owner: row.owner,
    adoptedAt: row.adoptedAt
  }
}

/** Rows of an earlier release lack the members that came later. */
function toMetadata (metadata: unknown): ClientMetadata {
  return {
    responseTypes: [], applicationType: null, platform: null, jwks: null, federatedIdentities: [], members: {}, ...metadata as Omit<ClientMetadata, LaterMember>
  }
}

type LaterMember = 'responseTypes' | 'applicationType' | 'platform' | 'jwks' | 'federatedIdentities' | 'members'

function toCredential (row: CredentialRow): Credential {
  return {
    id: row.id,
    state: row.state as CredentialState,
    keyId: row.keyId,
    hint: row.hint,
    expiresAt: row.expiresAt,
    createdAt: row.createdAt,
    sealed: sealedOf(row),
    verifier: verifierOf(row),
    eraseAt: row.eraseAt,
    provedAt: row.provedAt,
    revokeAfter: row.revokeAfter
  }
}

function sealedOf (row: CredentialRow): Sealed | null {
  const { sealVersion: version, sealKid: kid, sealWrappedKey: wrappedKey, sealCiphertext: ciphertext } = row
  return version === null || kid === null || wrappedKey === null || ciphertext === null ? null : { version, kid, wrappedKey, ciphertext }
}

function verifierOf (row: CredentialRow): Verifier | null {
  return row.verifier === null || row.pepperId === null ? null : { pepperId: row.pepperId, digest: row.verifier }
}

/** The record as reserve() has just written it. */
export function reservedRegistration (entry: NewRegistration): Registration {
  return {
    id: entry.id,
    providerId: entry.providerId,
    strategyId: entry.strategyId,
    callerId: entry.callerId,
    policyId: entry.policyId,
    surface: entry.surface,
    state: 'reserved',
    metadata: entry.metadata,
    projection: entry.projection,
    desiredRevision: 1,
    appliedRevision: 0,
    appliedEnabled: true,
    managementDigest: entry.managementDigest,
    previousManagementDigest: null,
    sharingKey: entry.sharingKey,
    objectId: null,
    clientId: null,
    principalId: null,
    konnect: entry.konnect,
    applicationId: null,
    verification: entry.verification,
    delivery: 'pending',
    credentials: entry.credentialId === null ? [] : [pendingCredential(entry.credentialId, entry.createdAt)],
    attempts: 0,
    lastFault: null,
    strayCheckAt: null,
    sweeps: 0,
    purgeAt: null,
    createdAt: entry.createdAt,
    updatedAt: entry.createdAt,
    activatedAt: null,
    renewedAt: null,
    lastUsedAt: null,
    seenAt: null,
    disabledAt: null,
    disabledBy: null,
    endedAt: null,
    labels: entry.labels ?? {},
    owner: entry.owner ?? null,
    adoptedAt: null
  }
}
