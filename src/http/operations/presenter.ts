// Records -> the wire of the operations API. Names what is shown: nothing else leaves.
import type { ListedRegistration, ShownCredential, ShownRegistration } from '../../registration/browse-port.ts'
import type { RegistrationPage } from '../../registration/browse.ts'
import type { ProductEvent } from '../../registration/registration.ts'
import { encodeCursor } from './cursor.ts'
import type { ListQuery } from './list-query.ts'
import type { RegistrationBody, RegistrationListBody, RegistrationSummaryBody } from './schemas.ts'

/** @param path of the list, @param parameters of this page's query: the next page has the same but for its start */
export function presentPage (page: RegistrationPage, query: ListQuery, path: string, parameters: Readonly<Record<string, string>>): RegistrationListBody {
  const { registrations, total, next } = page
  return {
    data: registrations.map(presentSummary),
    meta: {
      page: {
        size: query.size,
        ...('number' in query.start ? { number: query.start.number } : {}),
        total,
        next: next === null ? null : nextPath(path, parameters, encodeCursor(next, query.sortText))
      }
    }
  }
}

export function presentRegistration (registration: ShownRegistration): RegistrationBody {
  return {
    ...presentSummary(registration),
    credentials: registration.credentials.map(presentCredential),
    events: registration.events.map(presentEvent)
  }
}

function presentSummary (registration: ListedRegistration): RegistrationSummaryBody {
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
    verification: registration.verification,
    last_fault: registration.lastFault,
    created_at: registration.createdAt.toISOString(),
    updated_at: registration.updatedAt.toISOString(),
    activated_at: registration.activatedAt?.toISOString() ?? null,
    ended_at: registration.endedAt?.toISOString() ?? null
  }
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

function nextPath (path: string, parameters: Readonly<Record<string, string>>, cursor: string): string {
  const { 'page[number]': _, ...kept } = parameters
  return `${path}?${new URLSearchParams({ ...kept, 'page[after]': cursor }).toString()}`
}
