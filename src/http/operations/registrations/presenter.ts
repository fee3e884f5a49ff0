// Records -> the wire of the operations API. Names what is shown: nothing else leaves.
import type { AuditRecord, ListedRegistration, ShownCredential, ShownRegistration } from '../../../registration/browse-port.ts'
import type { NewSecret } from '../../../registration/client-secrets.ts'
import { linksOf, type Link } from '../../../registration/links.ts'
import type { ProductEvent } from '../../../registration/registration.ts'
import type { AuditEntryBody, RegistrationBody, RegistrationSummaryBody, RotatedSecretBody } from './schemas.ts'

export function presentRegistration (registration: ShownRegistration): RegistrationBody {
  return {
    ...presentSummary(registration),
    links: linksOf(registration.events).map(presentLink),
    credentials: registration.credentials.map(presentCredential),
    events: registration.events.map(presentEvent)
  }
}

export function presentSummary (registration: ListedRegistration): RegistrationSummaryBody {
  const { metadata, projection } = registration
  return {
    id: registration.id,
    client_id: registration.clientId,
    client_name: metadata.clientName,
    description: metadata.description,
    state: registration.state,
    provider: registration.providerName,
    surface: registration.surface,
    delivery: registration.delivery,
    application_id: registration.applicationId,
    redirect_uris: metadata.redirectUris,
    grant_types: metadata.grantTypes,
    scopes: metadata.scopes,
    token_endpoint_auth_method: metadata.tokenEndpointAuthMethod,
    entra: {
      object_id: registration.objectId,
      principal_id: registration.principalId,
      display_name: projection.displayName,
      platforms: { web: projection.redirectUris.web, public_client: projection.redirectUris.publicClient, spa: projection.redirectUris.spa },
      desired_revision: registration.desiredRevision,
      applied_revision: registration.appliedRevision
    },
    labels: registration.labels,
    owner: registration.owner,
    disabled_at: registration.disabledAt?.toISOString() ?? null,
    disabled_by: registration.disabledBy,
    adopted_at: registration.adoptedAt?.toISOString() ?? null,
    verification: registration.verification,
    last_fault: registration.lastFault,
    created_at: registration.createdAt.toISOString(),
    updated_at: registration.updatedAt.toISOString(),
    activated_at: registration.activatedAt?.toISOString() ?? null,
    last_used_at: registration.lastUsedAt?.toISOString() ?? null,
    ended_at: registration.endedAt?.toISOString() ?? null
  }
}

export function presentRotatedSecret (id: string, secret: NewSecret): RotatedSecretBody {
  return {
    id,
    client_id: secret.clientId,
    secret_id: secret.secretId,
    client_secret: secret.clientSecret,
    created_at: secret.createdAt.toISOString(),
    expires_at: secret.expiresAt.toISOString()
  }
}

export function presentAuditEntry ({ id, at, actor, action, outcome, requestId, sourceAddress, detail }: AuditRecord): AuditEntryBody {
  return { id, at: at.toISOString(), actor, action, outcome, request_id: requestId, source_address: sourceAddress, detail }
}

function presentLink ({ productId, applicationId, audience, since }: Link): RegistrationBody['links'][number] {
  return { product_id: productId, application_id: applicationId, audience, since: since.toISOString() }
}

function presentCredential (credential: ShownCredential): RegistrationBody['credentials'][number] {
  return {
    id: credential.id,
    key_id: credential.keyId,
    state: credential.state,
    hint: credential.hint,
    created_at: credential.createdAt.toISOString(),
    expires_at: credential.expiresAt?.toISOString() ?? null
  }
}

function presentEvent (event: ProductEvent): RegistrationBody['events'][number] {
  return {
    id: event.id,
    type: event.type,
    application_id: event.applicationId,
    product_id: event.productId,
    audience: event.audience,
    received_at: event.receivedAt.toISOString()
  }
}
