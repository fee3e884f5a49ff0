// Extension member `entra_federated_identity_credentials`: whose tokens Entra takes in place of a secret.
import type { FederatedIdentity, Json } from '../registration.ts'
import { isObject, refusal } from './refusals.ts'

/** Entra: at most 20 on an application, 600 characters for each part. */
const MAX_IDENTITIES = 20
const MAX_TEXT = 600
const DEFAULT_AUDIENCE = 'api://AzureADTokenExchange'
const MEMBER = 'entra_federated_identity_credentials'

/**
 * The identities, without exact duplicates.
 * @throws RegistrationError invalid_client_metadata
 */
export function acceptFederatedIdentities (requested: Json | null, tokenEndpointAuthMethod: string): FederatedIdentity[] {
  if (requested === null) return []
  if (!Array.isArray(requested)) throw refusal(`${MEMBER} must be a list of objects with issuer, subject and audience.`)
  if (requested.length > MAX_IDENTITIES) throw refusal(`${MEMBER} has ${requested.length} entries; Entra ID takes at most ${MAX_IDENTITIES}.`)
  const accepted = new Map<string, FederatedIdentity>()
  for (const [index, item] of requested.entries()) {
    const identity = acceptIdentity(item, `${MEMBER}[${index}]`)
    const key = JSON.stringify([identity.issuer, identity.subject])
    const known = accepted.get(key)
    // Entra: issuer and subject together are unique on an application.
    if (known !== undefined && known.audience !== identity.audience) throw refusal(`${MEMBER}[${index}] has the issuer and subject of an earlier entry; Entra ID takes each pair once.`)
    accepted.set(key, identity)
  }
  // It is a way to authenticate: a policy that forbids the method forbids this with it.
  if (accepted.size > 0 && tokenEndpointAuthMethod !== 'private_key_jwt') throw refusal(`${MEMBER} needs token_endpoint_auth_method private_key_jwt.`)
  return [...accepted.values()]
}

function acceptIdentity (item: Json, place: string): FederatedIdentity {
  if (!isObject(item)) throw refusal(`${place} must be an object with issuer, subject and audience.`)
  const { issuer, subject, audience } = item
  if (!isText(issuer) || !/^https:\/\/[\x21-\x7e]+$/.test(issuer) || !URL.canParse(issuer)) {
    throw refusal(`${place} needs an issuer that is an https URL of at most ${MAX_TEXT} characters.`)
  }
  if (!isText(subject)) throw refusal(`${place} needs a subject of 1 to ${MAX_TEXT} printable characters.`)
  const wanted = audience ?? DEFAULT_AUDIENCE
  if (!isText(wanted)) throw refusal(`${place} needs an audience of 1 to ${MAX_TEXT} printable characters, or none for ${DEFAULT_AUDIENCE}.`)
  return { issuer, subject, audience: wanted }
}

function isText (value: Json | undefined): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT && value.isWellFormed() && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value)
}
