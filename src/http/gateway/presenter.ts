// Clients that were accepted -> the wire of the gateway listener.
import type { Accepted } from '../../gateway/verdict.ts'
import type { ActiveToken } from './schemas.ts'

export interface Providers {
  providerName (providerId: string): string | null
}

/** RFC 7662 §2.2, and what the broker knows of the client. */
export function presentIntrospection ({ client, strategy, token }: Accepted, providers: Providers): ActiveToken {
  const claims = token ?? {}
  return {
    active: true,
    token_type: 'Bearer',
    client_id: client.clientId,
    client_name: client.clientName,
    ...textMember('scope', claims['scp']),
    roles: textsIn(claims['roles']),
    ...textMember('iss', claims['iss']),
    ...textMember('aud', claims['aud']),
    ...textMember('sub', claims['sub']),
    ...textMember('oid', claims['oid']),
    ...textMember('tid', claims['tid']),
    // Entra: what others call jti.
    ...textMember('jti', claims['uti']),
    ...numberMember('exp', claims['exp']),
    ...numberMember('iat', claims['iat']),
    ...numberMember('nbf', claims['nbf']),
    registration_id: client.registrationId,
    provider: providers.providerName(client.providerId),
    strategy: { id: strategy.id, name: strategy.name, konnect_auth_strategy_id: strategy.konnectAuthStrategyId },
    application_id: client.applicationId,
    developer_id: client.developerId,
    labels: client.labels,
    products: client.products
  }
}

/** What the API behind a gateway learns of its client. Empty ones are sent too: a gateway that copies them overwrites what the client has made up. */
export function headersOf ({ client, token }: Accepted): Record<string, string> {
  return {
    'x-client-id': client.clientId,
    'x-application-id': inHeader(client.applicationId),
    'x-developer-id': inHeader(client.developerId),
    'x-scopes': (token === null ? client.scopes : [...scopesIn(token['scp']), ...textsIn(token['roles'])]).map(inHeader).join(' ')
  }
}

/** Konnect's ids are any text; a header holds visible ASCII. */
function inHeader (text: string | null): string {
  return (text ?? '').replaceAll(/[^\x21-\x7e]|%/gu, character => encodeURIComponent(character.isWellFormed() ? character : '\ufffd'))
}

function scopesIn (claim: unknown): string[] {
  return typeof claim === 'string' ? claim.split(' ').filter(scope => scope !== '') : []
}

function textsIn (claim: unknown): string[] {
  return Array.isArray(claim) ? claim.filter(each => typeof each === 'string') : []
}

function textMember<Name extends string> (name: Name, claim: unknown): Partial<Record<Name, string>> {
  return typeof claim === 'string' ? { [name]: claim } as Record<Name, string> : {}
}

function numberMember<Name extends string> (name: Name, claim: unknown): Partial<Record<Name, number>> {
  return typeof claim === 'number' ? { [name]: claim } as Record<Name, number> : {}
}
