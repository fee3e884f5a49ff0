// Konnect's payloads -> commands of the core.
import type { ClientEvent, MetadataChange } from '../../registration/change-client.ts'
import type { RegisterClient } from '../../registration/register-client.ts'
import { grantTypesOf } from '../../registration/translation.ts'
import { RegistrationError } from '../../registration/errors.ts'
import { digestOf } from '../request-digest.ts'
import type { EventHookBody, NewApplicationBody } from './schemas.ts'

/** Konnect's Verify button creates a client with this portal id and deletes it again. */
const VERIFY_PORTAL_ID = 'test portal_id'

export function toRegisterClient (body: NewApplicationBody): RegisterClient {
  return {
    surface: 'konnect',
    metadata: {
      clientName: body.client_name,
      description: textOrNull(body.application_description),
      redirectUris: listOf(body.redirect_uris),
      grantTypes: grantTypesOf(listOf(body.grant_types)),
      scopes: listOf(body.scopes),
      tokenEndpointAuthMethod: textOrNull(body.token_endpoint_auth_method) ?? 'client_secret_basic',
      responseTypes: [],
      applicationType: null,
      platform: null,
      jwks: null,
      federatedIdentities: [],
      members: {}
    },
    konnect: {
      portalId: body.portal_id ?? null,
      organizationId: body.organization_id ?? null,
      developerId: body.developer_id ?? null,
      authStrategyId: textOrNull(body.auth_strategy_id),
      dcrProviderId: body.dcr_provider_id ?? null
    },
    verification: body.portal_id === VERIFY_PORTAL_ID,
    // Konnect sends no idempotency key: the whole body stands for the request.
    fingerprint: digestOf(body)
  }
}

/** @throws RegistrationError invalid_request when the body speaks of another client than the path */
export function toClientEvent (clientId: string, body: EventHookBody): ClientEvent {
  if (textOrNull(body.client_id) !== null && body.client_id?.toLowerCase() !== clientId.toLowerCase()) {
    throw new RegistrationError('invalid_request', 'client_id in the body is not the client of the path.')
  }
  return {
    type: body.event_type,
    applicationId: textOrNull(body.application_id),
    productId: textOrNull(body.api_product_version_id) ?? textOrNull(body.api_id),
    audience: textOrNull(body.audience),
    digest: digestOf(body)
  }
}

/** Absent members stay as they are; an empty description removes it. */
export function toMetadataChange (body: EventHookBody): MetadataChange {
  const name = textOrNull(body.application_name)
  return {
    ...(name === null ? {} : { clientName: name }),
    ...(body.application_description === undefined ? {} : { description: textOrNull(body.application_description) }),
    ...(body.redirect_uris === undefined || body.redirect_uris === null ? {} : { redirectUris: listOf(body.redirect_uris) })
  }
}

function listOf (value: string[] | string | null | undefined): string[] {
  if (value === null || value === undefined || value === '') return []
  return typeof value === 'string' ? [value] : value
}

function textOrNull (value: string | null | undefined): string | null {
  return value === undefined || value === '' ? null : value
}
