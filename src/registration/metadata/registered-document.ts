// The registered metadata as RFC 7591 writes it: what the answer holds beside what the server adds.
import type { ClientMetadata, Json } from '../registration.ts'

/** Sent back as a request it registers the same again. No nulls and no empty strings; `redirect_uris` is always there. */
export function documentOf (metadata: ClientMetadata): Record<string, Json> {
  const { applicationType, federatedIdentities, jwks, platform, scopes } = metadata
  return {
    client_name: metadata.clientName,
    redirect_uris: metadata.redirectUris,
    grant_types: metadata.grantTypes,
    response_types: metadata.responseTypes,
    token_endpoint_auth_method: metadata.tokenEndpointAuthMethod,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    ...(applicationType !== null && { application_type: applicationType }),
    ...(jwks !== null && { jwks: { keys: jwks.keys } }),
    ...(platform !== null && { entra_platform: platform }),
    ...(federatedIdentities.length > 0 && {
      entra_federated_identity_credentials: federatedIdentities.map(({ issuer, subject, audience }) => ({ issuer, subject, audience }))
    }),
    ...metadata.members
  }
}
