// Records -> rows. Writing goes through JSON: one parameter holds all rows of a table, and PostgreSQL spreads it by column name.
import type { RestoredRegistration } from '../reconciliation/port.ts'
import type { AdoptedRegistration, SaveOptions } from '../registration/ports.ts'
import type { AuditEntry, Credential, EntraSettings, NewRegistration, ProductEvent, Registration } from '../registration/registration.ts'

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
    activated_at: registration.activatedAt,
    renewed_at: registration.renewedAt,
    seen_at: registration.seenAt,
    disabled_at: registration.disabledAt,
    disabled_by: registration.disabledBy,
    ended_at: registration.endedAt,
    labels: registration.labels,
    owner: registration.owner
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
    labels: entry.labels ?? {},
    owner: entry.owner ?? null,
    created_at: entry.createdAt
  })
}

export function adoptedRegistrationJson (entry: AdoptedRegistration): string {
  return JSON.stringify({
    id: entry.id,
    provider_id: entry.providerId,
    strategy_id: entry.strategyId,
    caller_id: entry.callerId,
    ...documentColumns(entry),
    object_id: entry.objectId,
    client_id: entry.clientId,
    principal_id: entry.principalId,
    adopted_at: entry.adoptedAt
  })
}

export function restoredRegistrationJson (entry: RestoredRegistration): string {
  return JSON.stringify({
    id: entry.id,
    provider_id: entry.providerId,
    strategy_id: entry.strategyId,
    caller_id: entry.callerId,
    surface: entry.surface,
    ...documentColumns(entry),
    account_enabled: entry.projection.enabled,
    object_id: entry.objectId,
    client_id: entry.clientId,
    principal_id: entry.principalId,
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
    source_address: entry.sourceAddress ?? null,
    detail: entry.detail
  })))
}

// PostgreSQL's hex form of bytea.
function bytea (bytes: Uint8Array | null | undefined): string | null {
  return bytes === undefined || bytes === null ? null : `\\x${Buffer.from(bytes).toString('hex')}`
}
