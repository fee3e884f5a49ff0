// RFC 7591 and RFC 7592 documents -> commands of the core.
import { RegistrationError } from '../../registration/errors.ts'
import { digestOf } from '../request-digest.ts'
import type { ReplaceDocument } from '../../registration/managed-client.ts'
import type { RequestedMetadata } from '../../registration/metadata/requested-metadata.ts'
import type { RegisterDocument } from '../../registration/register-document.ts'
import type { Caller, Json } from '../../registration/registration.ts'
import { LOCALIZED_MEMBER, SERVER_MEMBERS, type ClientReplacementBody, type NewClientBody } from './schemas.ts'

/** Kept under their wire names; what is not among these or above is not looked at. */
const KEPT_MEMBERS: ReadonlySet<string> = new Set([
  'client_uri', 'logo_uri', 'tos_uri', 'policy_uri', 'contacts', 'software_id', 'software_version', 'post_logout_redirect_uris', 'initiate_login_uri',
  'token_endpoint_auth_signing_alg', 'id_token_signed_response_alg', 'subject_type'
])

const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/

export function toRequestedMetadata (body: NewClientBody): RequestedMetadata {
  return {
    clientName: textOrNull(body.client_name),
    redirectUris: body.redirect_uris ?? null,
    grantTypes: body.grant_types ?? null,
    responseTypes: body.response_types ?? null,
    tokenEndpointAuthMethod: textOrNull(body.token_endpoint_auth_method),
    scope: textOrNull(body.scope),
    applicationType: textOrNull(body.application_type),
    jwks: body.jwks ?? null,
    jwksUri: textOrNull(body.jwks_uri),
    entraPlatform: textOrNull(body.entra_platform),
    federatedIdentities: body.entra_federated_identity_credentials ?? null,
    members: keptMembers(body)
  }
}

/**
 * @param idempotencyKey the header; a repeat with the same key and document gets the same answer
 * @throws RegistrationError invalid_request for a key that is too long or not ASCII
 */
export function toRegisterDocument (body: NewClientBody, caller: Caller, idempotencyKey: string | string[] | undefined): RegisterDocument {
  // Everybody without a token is the same caller: what one of them has registered is not told to another.
  const key = caller.kind === 'anonymous' ? undefined : idempotencyKey
  if (key !== undefined && (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key))) {
    throw new RegistrationError('invalid_request', 'Idempotency-Key must have 1 to 255 printable ASCII characters.')
  }
  return { requested: toRequestedMetadata(body), fingerprint: key === undefined ? null : digestOf([key, caller.providerId, body]) }
}

/** @throws RegistrationError invalid_request for a document of another client, or with members that only the server writes */
export function toReplaceDocument (body: ClientReplacementBody, clientId: string): ReplaceDocument {
  const written = SERVER_MEMBERS.find(member => Object.hasOwn(body, member) && (body as Record<string, unknown>)[member] !== null)
  // RFC 7592 §2.2
  if (written !== undefined) throw new RegistrationError('invalid_request', `${written} must not be in the document: only the server writes it.`)
  const named = textOrNull(body.client_id)
  if (named === null) throw new RegistrationError('invalid_request', 'client_id is required: the one that was issued.')
  if (named.toLowerCase() !== clientId.toLowerCase()) throw new RegistrationError('invalid_request', 'client_id is not the client of this address.')
  return { requested: toRequestedMetadata(body), clientSecret: textOrNull(body.client_secret) }
}

function keptMembers (body: object): Record<string, Json> {
  return Object.fromEntries(Object.entries(body).filter(([name, value]) =>
    value !== null && value !== '' && (KEPT_MEMBERS.has(name) || LOCALIZED_MEMBER.test(name))))
}

function textOrNull (value: string | null | undefined): string | null {
  return value === undefined || value === '' ? null : value
}
