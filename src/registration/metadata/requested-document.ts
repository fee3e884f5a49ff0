// A document of RFC 7591 as it is written -> what it asks for.
import Type, { type Static, type TSchema } from 'typebox'
import type { Json } from '../registration.ts'
import type { RequestedMetadata } from './requested-metadata.ts'

/** A member in another language (RFC 7591 §2.2). The core judges the tag. */
export const LOCALIZED_MEMBER = /^(client_name|client_uri|logo_uri|tos_uri|policy_uri)#[A-Za-z0-9-]{1,80}$/

/** Kept under their wire names; what is not among these or below is not looked at. */
const KEPT_MEMBERS: ReadonlySet<string> = new Set([
  'client_uri', 'logo_uri', 'tos_uri', 'policy_uri', 'contacts', 'software_id', 'software_version', 'post_logout_redirect_uris', 'initiate_login_uri',
  'token_endpoint_auth_signing_alg', 'id_token_signed_response_alg', 'subject_type'
])

const optional = <Schema extends TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]))
const text = optional(Type.String())
const texts = optional(Type.Array(Type.String()))
const json = Type.Optional(Type.Unsafe<Json>({}))

/** Types only: what is good in them, the core judges. Unknown members are ignored. */
export const RequestedDocument = Type.Object({
  client_name: text,
  redirect_uris: texts,
  grant_types: texts,
  response_types: texts,
  token_endpoint_auth_method: text,
  scope: text,
  application_type: text,
  jwks: json,
  jwks_uri: text,
  entra_platform: text,
  entra_federated_identity_credentials: json,
  contacts: texts,
  post_logout_redirect_uris: texts,
  ...Object.fromEntries([...KEPT_MEMBERS].filter(name => name !== 'contacts' && name !== 'post_logout_redirect_uris').map(name => [name, text]))
}, { patternProperties: { [LOCALIZED_MEMBER.source]: { type: ['string', 'null'] } } })

export function toRequestedMetadata (document: Static<typeof RequestedDocument>): RequestedMetadata {
  return {
    clientName: textOrNull(document.client_name),
    redirectUris: document.redirect_uris ?? null,
    grantTypes: document.grant_types ?? null,
    responseTypes: document.response_types ?? null,
    tokenEndpointAuthMethod: textOrNull(document.token_endpoint_auth_method),
    scope: textOrNull(document.scope),
    applicationType: textOrNull(document.application_type),
    jwks: document.jwks ?? null,
    jwksUri: textOrNull(document.jwks_uri),
    entraPlatform: textOrNull(document.entra_platform),
    federatedIdentities: document.entra_federated_identity_credentials ?? null,
    members: keptMembers(document)
  }
}

export function textOrNull (value: string | null | undefined): string | null {
  return value === undefined || value === '' ? null : value
}

function keptMembers (document: object): Record<string, Json> {
  return Object.fromEntries(Object.entries(document).filter(([name, value]) =>
    value !== null && value !== '' && (KEPT_MEMBERS.has(name) || LOCALIZED_MEMBER.test(name))))
}
