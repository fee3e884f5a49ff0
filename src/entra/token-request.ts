// One token for the broker itself, asked for once, through MSAL.
// MSAL remembers a 429 or any 5xx and then refuses to ask for a minute, and has no single flight; therefore its client lives for
// one request only, and keeping and renewing the token is broker-token.ts's business.
import { ConfidentialClientApplication } from '@azure/msal-node'
import { DirectoryError } from '../registration/ports.ts'
import { readCredential, type EntraCredential } from './broker-credential.ts'
import type { Cloud } from './clouds.ts'
import type { Http } from './http.ts'
import { identityError, identityFailure } from './identity-errors.ts'
import { TokenEndpointClient } from './msal-network-client.ts'

/** Entra: one to three thousand characters. */
const accessTokenPattern = /^[\x21-\x7e]{1,65536}$/

export interface AccessToken {
  value: string
  /** On the system clock, as Entra counts it. */
  expiresAtMs: number
  /** When Entra would like to be asked for the next one, if it said so. */
  refreshAtMs: number | undefined
}

export interface TokenRequest {
  http: Http
  cloud: Cloud
  tenantId: string
  clientId: string
  credential: EntraCredential
}

/** Asks the token endpoint once. Throws DirectoryError `unauthenticated`, `throttled` or `unavailable`; never with a secret in it. */
export async function requestToken (request: TokenRequest, signal: AbortSignal): Promise<AccessToken> {
  const proof = await readCredential(request.credential, signal)
  const networkClient = new TokenEndpointClient(request.http, request.cloud.tokenEndpoint, signal)
  try {
    const auth = { ...authorityOf(request), clientId: request.clientId, ...proof }
    const client = new ConfidentialClientApplication({ auth, system: { networkClient } })
    const result = await client.acquireTokenByClientCredential({ scopes: [request.cloud.scope] })
    // MSAL takes an answer without an `error` member for a success, whatever its status.
    // It becomes a header: anything but printable characters is no token.
    if (result === null || !isToken(result.accessToken) || result.expiresOn === null) throw new Error('no token')
    return { value: result.accessToken, expiresAtMs: result.expiresOn.getTime(), refreshAtMs: result.refreshOn?.getTime() }
  } catch (error) {
    throw failureOf(networkClient, error)
  }
}

/** MSAL refuses an http authority and would look for its metadata on the internet: both are answered here. */
function authorityOf ({ cloud, tenantId }: TokenRequest): { authority: string, knownAuthorities: string[], authorityMetadata: string } {
  const { host } = new URL(cloud.tokenEndpoint)
  const authority = `https://${host}/${tenantId}`
  return {
    authority,
    knownAuthorities: [host],
    authorityMetadata: JSON.stringify({
      issuer: `${authority}/v2.0`,
      token_endpoint: cloud.tokenEndpoint,
      authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
      jwks_uri: `${authority}/discovery/v2.0/keys`
    })
  }
}

function isToken (value: unknown): boolean {
  return typeof value === 'string' && accessTokenPattern.test(value)
}

/** MSAL's error is not passed on: what it knows stands in the answer, and it may quote what was sent. */
function failureOf (networkClient: TokenEndpointClient, error: unknown): DirectoryError {
  const whose = 'the broker\'s own credential'
  if (networkClient.failure !== undefined) return identityFailure(whose, networkClient.failure)
  if (networkClient.answer !== undefined) return identityError(whose, networkClient.answer)
  const name = error instanceof Error ? error.name : 'error'
  return new DirectoryError('unauthenticated', `the broker's own credential can't be used (${name})`, { diagnostics: { reason: 'credential_unusable' } })
}
