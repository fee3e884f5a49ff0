// The members that are kept for the answer alone: contacts, links, software ids, names in other languages. All others are dropped.
import type { PolicyRules } from '../policy.ts'
import type { ClientMetadata, Json } from '../registration.ts'
import { acceptName, acceptText } from './client-name.ts'
import { acceptPostLogoutUris } from './redirect-rules.ts'
import { hasUserInformation, isUriText } from './redirect-uris.ts'
import { quoted, refusal } from './refusals.ts'

const MAX_URL = 2_048
const MAX_TEXT = 255
const MAX_CONTACTS = 20

interface Context {
  applicationType: ClientMetadata['applicationType']
  rules: PolicyRules
}

type Accept = (member: string, value: Json, context: Context) => Json

const ACCEPT: ReadonlyMap<string, Accept> = new Map<string, Accept>([
  ['client_uri', acceptWebUrl],
  ['logo_uri', acceptWebUrl],
  ['tos_uri', acceptWebUrl],
  ['policy_uri', acceptWebUrl],
  // OpenID Connect Registration §2: https, unlike the links.
  ['initiate_login_uri', acceptSecureUrl],
  ['contacts', acceptContacts],
  ['software_id', acceptShortText],
  ['software_version', acceptShortText],
  ['post_logout_redirect_uris', (member, value, { applicationType, rules }) => acceptPostLogoutUris(textsOf(member, value), applicationType, rules)],
  ['token_endpoint_auth_signing_alg', acceptSigningAlgorithm],
  // Entra: signs ID tokens with RS256 only, and its `sub` is another one for every application. RFC 7591 §3.2.1: replaced, and told.
  ['id_token_signed_response_alg', (member, value) => textOf(member, value) && 'RS256'],
  ['subject_type', (member, value) => textOf(member, value) && 'pairwise']
])

// RFC 7591 §2.2: human-readable members, with a BCP 47 tag.
const LOCALIZED = /^(client_name|client_uri|logo_uri|tos_uri|policy_uri)#[a-z]{1,8}(-[a-z0-9]{1,8}){0,8}$/i
const LOCALIZABLE_CASE = /^[a-z_]+#/

/** @throws RegistrationError invalid_client_metadata */
export function acceptMembers (members: Readonly<Record<string, Json>>, context: Context): Record<string, Json> {
  const accepted: Record<string, Json> = {}
  const tagged = new Set<string>()
  for (const [name, value] of Object.entries(members)) {
    const accept = isLocalized(name) ? localized(name) : ACCEPT.get(name)
    // RFC 7592 §2.2: null and empty mean the same as absent.
    if (accept === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)) continue
    // RFC 7591 §2.2: tags are compared without regard to case.
    if (tagged.has(name.toLowerCase())) throw refusal(`${name} is there twice: language tags are the same in upper and lower case.`)
    tagged.add(name.toLowerCase())
    accepted[name] = accept(name, value, context)
  }
  return accepted
}

function isLocalized (name: string): boolean {
  return LOCALIZED.test(name) && LOCALIZABLE_CASE.test(name)
}

function localized (name: string): Accept {
  return name.startsWith('client_name#') ? (member, value) => acceptName(member, textOf(member, value)) : acceptWebUrl
}

function acceptWebUrl (member: string, value: Json): string {
  const url = textOf(member, value)
  if (url.length > MAX_URL) throw refusal(`${member} is longer than ${MAX_URL} characters.`)
  if (!isUriText(url) || !/^https?:\/\/[^/?#]/i.test(url) || !URL.canParse(url)) throw refusal(`${member} must be an absolute http or https URL.`)
  // Shown to people who consent: https://known.example@other.example/ is a lie.
  if (hasUserInformation(url)) throw refusal(`${member} must not hold user information.`)
  return url
}

function acceptSecureUrl (member: string, value: Json): string {
  const url = acceptWebUrl(member, value)
  if (!/^https:/i.test(url)) throw refusal(`${member} must be an https URL.`)
  return url
}

function acceptContacts (member: string, value: Json): string[] {
  const contacts = textsOf(member, value)
  if (contacts.length > MAX_CONTACTS) throw refusal(`${member} has ${contacts.length} entries; at most ${MAX_CONTACTS} are accepted.`)
  return contacts.map((contact, index) => acceptShortText(`${member}[${index}]`, contact))
}

function acceptShortText (member: string, value: Json): string {
  const text = textOf(member, value)
  if (text === '' || text.length > MAX_TEXT) throw refusal(`${member} must have 1 to ${MAX_TEXT} characters.`)
  return acceptText(member, text)
}

function acceptSigningAlgorithm (member: string, value: Json): string {
  const algorithm = textOf(member, value)
  if (algorithm !== 'RS256' && algorithm !== 'PS256') throw refusal(`${member} ${quoted(algorithm)} is not supported; Entra ID takes RS256 and PS256.`)
  return algorithm
}

function textOf (member: string, value: Json): string {
  if (typeof value !== 'string') throw refusal(`${member} must be a string.`)
  return value
}

function textsOf (member: string, value: Json): string[] {
  if (!Array.isArray(value)) throw refusal(`${member} must be a list of strings.`)
  return value.map((item, index) => textOf(`${member}[${index}]`, item))
}
