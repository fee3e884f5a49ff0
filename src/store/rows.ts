// Row <-> record. Writing goes through JSON: one parameter holds all rows of a table, and PostgreSQL spreads it by column name.
import type { SaveOptions, Sealed, Verifier } from '../registration/ports.ts'
import {
  pendingCredential, type AuditEntry, type ClientMetadata, type Credential, type CredentialState, type Delivery, type DirectoryApplication, type KonnectContext,
  type NewRegistration, type ProductEvent, type Registration, type RegistrationState, type Surface
} from '../registration/registration.ts'
import type { CredentialModel, RegistrationModel } from './generated/models.ts'

export type RegistrationRow = RegistrationModel & { credentials: CredentialModel[] }

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
      ...defaultEntraSettings,
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
    turnAt: row.turnAt,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    activatedAt: row.activatedAt,
    renewedAt: row.renewedAt,
    lastUsedAt: row.lastUsedAt,
    disabledAt: row.disabledAt,
    disabledBy: row.disabledBy as Registration['disabledBy'],
    endedAt: row.endedAt
  }
}

/** Rows of an earlier release lack the members that came later. */
function toMetadata (metadata: unknown): ClientMetadata {
  return {
    responseTypes: [], applicationType: null, platform: null, jwks: null, federatedIdentities: [], members: {}, ...metadata as Omit<ClientMetadata, LaterMember>
  }
}

type LaterMember = 'responseTypes' | 'applicationType' | 'platform' | 'jwks' | 'federatedIdentities' | 'members'

/** What of the projection has no column of its own. */
type EntraSettings = Pick<DirectoryApplication, 'homePageUrl' | 'termsOfServiceUrl' | 'privacyStatementUrl' | 'isFallbackPublicClient' |
  'requiredResourceAccess' | 'grants' | 'certificates' | 'federatedIdentities'>

const defaultEntraSettings: EntraSettings = {
  homePageUrl: null,
  termsOfServiceUrl: null,
  privacyStatementUrl: null,
  isFallbackPublicClient: null,
  requiredResourceAccess: null,
  grants: null,
  certificates: null,
  federatedIdentities: null
}

function toCredential (row: CredentialModel): Credential {
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

function sealedOf (row: CredentialModel): Sealed | null {
  const { sealVersion: version, sealKid: kid, sealWrappedKey: wrappedKey, sealCiphertext: ciphertext } = row
  return version === null || kid === null || wrappedKey === null || ciphertext === null ? null : { version, kid, wrappedKey, ciphertext }
}

function verifierOf (row: CredentialModel): Verifier | null {
  return row.verifier === null || row.pepperId === null ? null : { pepperId: row.pepperId, digest: row.verifier }
}

/** The mutable columns of a registration, as a fenced save writes them. */
export function registrationJson (registration: Registration, managementToken: SaveOptions['managementToken'] = undefined): string {
  return JSON.stringify({
    management_digest: bytea(managementToken?.current),
    previous_management_digest: bytea(managementToken?.previous),
    state: registration.state,
    ...documentColumns(registration),
    desired_revision: registration.desiredRevision,
    applied_revision: registration.appliedRevision,
    account_enabled: registration.projection.enabled,
    applied_enabled: registration.appliedEnabled,
    object_id: registration.objectId,
    client_id: registration.clientId,
    principal_id: registration.principalId,
    application_id: registration.applicationId,
    attempts: registration.attempts,
    last_fault: registration.lastFault,
    stray_check_at: registration.strayCheckAt,
    sweeps: registration.sweeps,
    purge_at: registration.purgeAt,
    turn_at: registration.turnAt,
    activated_at: registration.activatedAt,
    renewed_at: registration.renewedAt,
    disabled_at: registration.disabledAt,
    disabled_by: registration.disabledBy,
    ended_at: registration.endedAt
  })
}

function documentColumns ({ metadata, projection }: Pick<Registration, 'metadata' | 'projection'>) {
  return {
    metadata,
    client_name: metadata.clientName,
    display_name: projection.displayName,
    description: projection.description,
    tags: projection.tags,
    access_token_version: projection.accessTokenVersion,
    web_redirect_uris: projection.redirectUris.web,
    public_redirect_uris: projection.redirectUris.publicClient,
    spa_redirect_uris: projection.redirectUris.spa,
    entra_settings: {
      homePageUrl: projection.homePageUrl,
      termsOfServiceUrl: projection.termsOfServiceUrl,
      privacyStatementUrl: projection.privacyStatementUrl,
      isFallbackPublicClient: projection.isFallbackPublicClient,
      requiredResourceAccess: projection.requiredResourceAccess,
      grants: projection.grants,
      certificates: projection.certificates,
      federatedIdentities: projection.federatedIdentities
    } satisfies EntraSettings
  }
}

export function newRegistrationJson (entry: NewRegistration): string {
  return JSON.stringify({
    id: entry.id,
    provider_id: entry.providerId,
    strategy_id: entry.strategyId,
    caller_id: entry.callerId,
    policy_id: entry.policyId,
    surface: entry.surface,
    ...documentColumns(entry),
    konnect: entry.konnect,
    verification: entry.verification,
    open_fingerprint: entry.fingerprint,
    management_digest: bytea(entry.managementDigest),
    sharing_key: entry.sharingKey,
    created_at: entry.createdAt
  })
}

export function credentialsJson (credentials: readonly Credential[]): string {
  return JSON.stringify(credentials.map(credential => ({
    id: credential.id,
    state: credential.state,
    key_id: credential.keyId,
    hint: credential.hint,
    expires_at: credential.expiresAt,
    seal_version: credential.sealed?.version ?? null,
    seal_kid: credential.sealed?.kid ?? null,
    seal_wrapped_key: bytea(credential.sealed?.wrappedKey),
    seal_ciphertext: bytea(credential.sealed?.ciphertext),
    verifier: bytea(credential.verifier?.digest),
    pepper_id: credential.verifier?.pepperId ?? null,
    erase_at: credential.sealed === null ? null : credential.eraseAt,
    proved_at: credential.provedAt,
    revoke_after: credential.revokeAfter,
    created_at: credential.createdAt
  })))
}

export function eventsJson (events: readonly ProductEvent[]): string {
  return JSON.stringify(events.map(event => ({
    id: event.id,
    type: event.type,
    application_id: event.applicationId,
    product_id: event.productId,
    audience: event.audience,
    digest: event.digest,
    received_at: event.receivedAt
  })))
}

export function auditJson (entries: readonly AuditEntry[]): string {
  return JSON.stringify(entries.map(entry => ({
    id: entry.id,
    at: entry.at,
    actor: entry.actor,
    action: entry.action,
    outcome: entry.outcome,
    registration_id: entry.registrationId,
    provider_id: entry.providerId,
    request_id: entry.requestId,
    detail: entry.detail
  })))
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
    turnAt: null,
    createdAt: entry.createdAt,
    updatedAt: entry.createdAt,
    activatedAt: null,
    renewedAt: null,
    lastUsedAt: null,
    disabledAt: null,
    disabledBy: null,
    endedAt: null
  }
}

/** PostgreSQL's hex form of bytea. */
export function bytea (bytes: Uint8Array | null | undefined): string | null {
  return bytes === undefined || bytes === null ? null : `\\x${Buffer.from(bytes).toString('hex')}`
}
