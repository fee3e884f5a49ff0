// Access tokens as Entra makes them: RS256, v1 or v2 claims by the RESOURCE's choice, Graph's own with its `nonce`.
import { createHash, generateKeyPair, randomBytes, randomInt } from 'node:crypto'
import { promisify } from 'node:util'
import { base64url, calculateJwkThumbprint, createLocalJWKSet, exportJWK, importJWK, jwtVerify, SignJWT } from 'jose'
import type { JWK, JWTPayload } from 'jose'

export const graphAppId = '00000003-0000-0000-c000-000000000000'
export const aadGraphAppId = '00000002-0000-0000-c000-000000000000'

/** The public issuers: they don't depend on where the simulator listens. */
export const v1Issuer = (tenantId: string): string => `https://sts.windows.net/${tenantId}/`
export const v2Issuer = (tenantId: string): string => `https://login.microsoftonline.com/${tenantId}/v2.0`

export interface TokenRequest {
  tenantId: string
  version: 1 | 2
  /** v1: as the client named the resource; v2: its appId. */
  audience: string
  /** Graph's own tokens carry a nonce and are opaque to everybody else. */
  isForGraph: boolean
  clientId: string
  /** Object id of the client's service principal. */
  principalId: string
  /** How the client proved itself: '0' not at all, '1' secret, '2' certificate or assertion. */
  proof: '0' | '1' | '2'
  /** Application roles; a token on behalf of a user has none. */
  roles: readonly string[]
  /** The user that signed in, and what the client may do in the user's name. Null: the client acts for itself. */
  onBehalfOf: { user: User, permissions: readonly string[] } | null
  nowMs: number
}

export interface User {
  /** Object id. */
  id: string
  name: string
  userName: string
}

export interface IdTokenRequest {
  tenantId: string
  clientId: string
  user: User
  nonce: string | null
  identityScopes: readonly string[]
  nowMs: number
}

/** The one user of a tenant; signed in whenever somebody asks. */
export function userOf (tenantId: string): User {
  const digest = createHash('sha256').update(`user of ${tenantId}`).digest('hex')
  const id = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-4${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`
  return { id, name: 'Simulated User', userName: `user@${tenantId.slice(0, 8)}.onmicrosoft.com` }
}

export interface IssuedToken {
  token: string
  notBefore: number
  expiresAt: number
  /** Seconds from now. */
  expiresIn: number
}

export interface TokenSigner {
  /** The public keys, as the discovery document points to them. */
  readonly jwks: { keys: JWK[] }
  /** The private key, for a snapshot. */
  readonly privateJwk: JWK
  /** Signs with a new key from now on. Those before stay published, unless they are withdrawn. Resolves to its kid. */
  rotate (withdrawFormer: boolean): Promise<string>
  issue (request: TokenRequest): Promise<IssuedToken>
  /** An ID token of the v2 endpoint: the issuer is the v2 one, the audience the client. */
  issueIdToken (request: IdTokenRequest): Promise<string>
  /** Claims of a token made by `issue` for Graph. Throws a JOSEError when it is not one, or is over. */
  openForGraph (token: string, nowMs: number): Promise<JWTPayload>
}

// Entra: a token is valid from five minutes before its issue, and ends at a random moment 60 to 90 minutes after it.
const backdatedSeconds = 300
const shortestLifeSeconds = 3600
const longestLifeSeconds = 5400

const verifiedTokensKept = 1000

/** Makes the signer, with a new key unless a snapshot's is given. */
export async function createTokenSigner (privateJwk?: JWK): Promise<TokenSigner> {
  const verified = new Map<string, JWTPayload>()
  let current = await signingKeyOf(privateJwk ?? await newPrivateJwk())
  let jwks = { keys: [publicOf(current.jwk)] }
  let keys = createLocalJWKSet(jwks)

  return {
    get jwks () { return jwks },
    get privateJwk () { return current.jwk },
    async rotate (withdrawFormer) {
      const next = await signingKeyOf(await newPrivateJwk())
      current = next
      jwks = { keys: [...(withdrawFormer ? [] : jwks.keys), publicOf(next.jwk)] }
      keys = createLocalJWKSet(jwks)
      verified.clear()
      return next.kid
    },
    async issue (request) {
      const { key, kid } = current
      const now = Math.floor(request.nowMs / 1000)
      const lifetime = randomInt(shortestLifeSeconds, longestLifeSeconds + 1)
      const header = { typ: 'JWT', alg: 'RS256', kid, ...(request.version === 1 ? { x5t: kid } : {}) } as const
      const claims = claimsOf(request, now - backdatedSeconds, now + lifetime)
      const issued = { notBefore: now - backdatedSeconds, expiresAt: now + lifetime, expiresIn: lifetime - 1 }
      if (!request.isForGraph) return { ...issued, token: await new SignJWT(claims).setProtectedHeader(header).sign(key) }
      const nonce = randomBytes(32).toString('base64url')
      const signed = await new SignJWT(claims).setProtectedHeader({ ...header, nonce: hashed(nonce) }).sign(key)
      return { ...issued, token: withNonce(signed, () => nonce) }
    },
    async issueIdToken (request) {
      const { key, kid } = current
      return new SignJWT(idClaimsOf(request)).setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid }).sign(key)
    },
    async openForGraph (token, nowMs) {
      const known = verified.get(token)
      if (known !== undefined && (known.exp ?? 0) * 1000 > nowMs) return known
      const { payload } = await jwtVerify(withNonce(token, hashed), keys, { currentDate: new Date(nowMs), algorithms: ['RS256'] })
      if (verified.size >= verifiedTokensKept) verified.clear()
      verified.set(token, payload)
      return payload
    }
  }
}

async function signingKeyOf (jwk: JWK) {
  return { jwk, kid: jwk.kid ?? '', key: await importJWK(jwk, 'RS256') }
}

/** Entra publishes no `alg` with its keys, and repeats the key id as x5t. */
function publicOf ({ kty, n, e, kid = '' }: JWK): JWK {
  return { kty, use: 'sig', kid, x5t: kid, n, e } as JWK
}

async function newPrivateJwk (): Promise<JWK> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const jwk = await exportJWK(privateKey)
  return { ...jwk, kid: (await calculateJwkThumbprint(jwk)).slice(0, 27) }
}

function claimsOf (request: TokenRequest, notBefore: number, expiresAt: number): JWTPayload {
  const { version, tenantId, clientId, proof } = request
  const issuer = version === 1 ? v1Issuer(tenantId) : v2Issuer(tenantId)
  return {
    aud: request.audience,
    iss: issuer,
    iat: notBefore,
    nbf: notBefore,
    exp: expiresAt,
    aio: randomBytes(36).toString('base64url'),
    ...(version === 1 ? { appid: clientId, appidacr: proof, idp: issuer } : { azp: clientId, azpacr: proof }),
    ...subjectClaims(request),
    rh: `1.${randomBytes(24).toString('base64url')}.`,
    tid: tenantId,
    uti: randomBytes(16).toString('base64url'),
    ver: version === 1 ? '1.0' : '2.0'
  }
}

function subjectClaims ({ version, principalId, roles, onBehalfOf, audience }: TokenRequest): JWTPayload {
  if (onBehalfOf === null) {
    return { idtyp: 'app', oid: principalId, sub: principalId, ...(roles.length === 0 ? {} : { roles: [...roles] }) }
  }
  const { user, permissions } = onBehalfOf
  return {
    idtyp: 'user',
    oid: user.id,
    sub: pairwiseSubject(user, audience),
    name: user.name,
    ...(version === 1 ? { upn: user.userName, unique_name: user.userName } : { preferred_username: user.userName }),
    ...(permissions.length === 0 ? {} : { scp: permissions.join(' ') })
  }
}

function idClaimsOf ({ tenantId, clientId, user, nonce, identityScopes, nowMs }: IdTokenRequest): JWTPayload {
  const now = Math.floor(nowMs / 1000)
  return {
    aud: clientId,
    iss: v2Issuer(tenantId),
    iat: now - backdatedSeconds,
    nbf: now - backdatedSeconds,
    exp: now + shortestLifeSeconds,
    ...(identityScopes.includes('profile') ? { name: user.name, preferred_username: user.userName } : {}),
    ...(identityScopes.includes('email') ? { email: user.userName } : {}),
    ...(nonce === null ? {} : { nonce }),
    oid: user.id,
    sub: pairwiseSubject(user, clientId),
    tid: tenantId,
    uti: randomBytes(16).toString('base64url'),
    ver: '2.0'
  }
}

/** Entra: every audience knows a user under another `sub`. */
const pairwiseSubject = (user: User, audience: string): string => createHash('sha256').update(`${user.id} ${audience}`).digest('base64url')

// Entra signs Graph's tokens over the hash of the nonce and sends the nonce: only Graph, who knows, can validate them.
const hashed = (nonce: string): string => createHash('sha256').update(nonce).digest('base64url')

/** The token with another nonce in its header; anything that is no JWT, or has no nonce, comes back unchanged. */
function withNonce (token: string, change: (nonce: string) => string): string {
  const [header, ...rest] = token.split('.')
  if (header === undefined || rest.length !== 2) return token
  try {
    const members = JSON.parse(new TextDecoder().decode(base64url.decode(header))) as { nonce?: unknown }
    if (typeof members.nonce !== 'string') return token
    return [base64url.encode(JSON.stringify({ ...members, nonce: change(members.nonce) })), ...rest].join('.')
  } catch {
    return token
  }
}
