// How Kong's openid-connect plugin knows an issuer: the discovery document, the keys it points to, and what a token has to be.
import { compactVerify, createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload } from 'jose'
import { claimAt, type PluginConfig } from './kong-oidc-config.ts'

/** As far as the plugin reads it. */
export interface Discovery {
  issuer: string
  token_endpoint: string
  jwks_uri: string
}

export interface IssuerOptions {
  config: PluginConfig
  /** Where the host of an address really listens. */
  resolve: (url: URL) => URL
  nowMs: () => number
}

export interface Issuer {
  discover (): Promise<Discovery>
  /** Resolves to the claims of a token that is good. Throws Refusal. */
  verify (token: string): Promise<JWTPayload>
}

export class Refusal extends Error {
  readonly status: 401 | 403

  constructor (status: 401 | 403, reason: string) {
    super(reason)
    this.status = status
  }
}

const DISCOVERY_PATH = '/.well-known/openid-configuration'

/** Kong: `issuer` is the address of the discovery document or what stands before its well-known path, with or without a last slash. */
export function discoveryAddress (issuer: string): URL {
  return new URL(issuer.endsWith(DISCOVERY_PATH) ? issuer : `${issuer.replace(/\/$/, '')}${DISCOVERY_PATH}`)
}

export function createIssuer ({ config, resolve, nowMs }: IssuerOptions): Issuer {
  let discovery: Discovery | null = null
  let keys: JSONWebKeySet | null = null
  let lookedAtMs = -Infinity

  const discover = async (): Promise<Discovery> => {
    discovery ??= await getJson(resolve(discoveryAddress(config.issuer))) as Discovery
    return discovery
  }
  const lookAgain = async (): Promise<JSONWebKeySet> => {
    lookedAtMs = nowMs()
    discovery = null
    keys = await getJson(resolve(new URL((await discover()).jwks_uri))) as JSONWebKeySet
    return keys
  }

  /** Kong: an unknown key makes it look again, but not twice within `rediscovery_lifetime`. */
  async function verifySignature (token: string): Promise<void> {
    const known = keys ?? await lookAgain()
    try {
      await compactVerify(token, createLocalJWKSet(known))
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      if (nowMs() - lookedAtMs < config.rediscoveryLifetimeSeconds * 1000) throw error
      await compactVerify(token, createLocalJWKSet(await lookAgain()))
    }
  }

  return {
    discover,
    async verify (token) {
      if (config.verifySignature) {
        await verifySignature(token).catch(error => {
          throw new Refusal(401, error instanceof errors.JOSEError ? `signature: ${error.code}` : String(error))
        })
      }
      const claims = claimsOf(token)
      if (config.verifyClaims) verifyClaims(claims, config.issuersAllowed ?? [(await discover()).issuer], config.leewaySeconds, nowMs() / 1000)
      verifyAudience(claims, config)
      return claims
    }
  }
}

function claimsOf (token: string): JWTPayload {
  try {
    return decodeJwt(token)
  } catch {
    throw new Refusal(401, 'signature: no JWT')
  }
}

function verifyClaims ({ iss, exp, nbf }: JWTPayload, issuers: readonly string[], leeway: number, now: number): void {
  if (iss === undefined || !issuers.includes(iss)) throw new Refusal(401, `invalid issuer ${iss}, expected ${issuers.join(' or ')}`)
  if (exp === undefined || exp + leeway <= now) throw new Refusal(401, 'the token has ended')
  if (nbf !== undefined && nbf - leeway > now) throw new Refusal(401, 'the token is not valid yet')
}

/** Kong, claims-based authorization: one of the entries, of each all the words. */
function verifyAudience (claims: JWTPayload, { audienceRequired, audienceClaim }: PluginConfig): void {
  if (audienceRequired === null || audienceRequired.length === 0) return
  const claim = claimAt(claims, audienceClaim)
  const audiences = Array.isArray(claim) ? claim.map(String) : String(claim ?? '').split(' ')
  if (audienceRequired.some(entry => entry.split(' ').every(word => audiences.includes(word)))) return
  throw new Refusal(403, `aud ${audiences.join(' ')} is not among ${audienceRequired.join(', ')}`)
}

async function getJson (url: URL): Promise<unknown> {
  const response = await fetch(url)
  if (!response.ok) throw new Refusal(401, `${url.pathname} answers ${response.status}`)
  return await response.json()
}
