// Entra access tokens, shown instead of a token of ours: which application or person of the tenant stands behind one.
// Nothing that a token names is ever fetched: not its `iss`, not `jku`, not `x5u`.
import { decodeJwt, decodeProtectedHeader, jwtVerify, type JWTPayload } from 'jose'
import { tenantEndpointsOf } from './clouds.ts'
import { createHttp, type Http } from './http.ts'
import { createTenantKeys, type TenantKeys } from './tenant-keys.ts'

/** Entra signs with nothing else. */
const algorithms = ['RS256']
const clockLeewaySeconds = 60
const longestToken = 16_384
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export interface OperatorTokens {
  audiences: readonly string[]
  /** App roles of which one must be in `roles`. */
  roles: readonly string[]
}

/** An operator by his token. */
export interface EntraOperator {
  /** Application id of a program, object id of a person; lower case. */
  identity: string
  /** Those of `OperatorTokens` that the token carries. */
  roles: string[]
}

export interface ServiceTokenProvider {
  providerId: string
  tenantId: string
  authorityHost: string
  graphBaseUrl?: string
  /** What the token must be for: App ID URIs (v1 tokens) and application ids (v2 tokens). */
  audiences: readonly string[]
  /** App role that must be in `roles`. */
  role: string
  /** Whose tokens are those of operators; nobody's when left out. */
  operators?: OperatorTokens
  /** Bounds one look at the tenant's keys, and one connection attempt. */
  attemptTimeoutMs: number
}

export interface ServiceTokens {
  /** Whom to ask about a token: providers of the tenant that it says it is of, in the order in which they are served. A look without trust. */
  providersOf (token: string): string[]
  /**
   * The application id (lower case) behind a token of this provider's tenant; null for anything else.
   * Throws DirectoryError `unavailable` when the tenant's keys can't be had.
   */
  applicationOf (providerId: string, token: string): Promise<string | null>
  /** The operator behind a token of this provider's tenant; null for anything else. Throws as `applicationOf`. */
  operatorOf (providerId: string, token: string): Promise<EntraOperator | null>
  /** The claims of a token that is of this provider's tenant and for one of the audiences; null for anything else. Throws as `applicationOf`. */
  claimsOf (providerId: string, token: string, audiences: readonly string[]): Promise<JWTPayload | null>
  /** From now on exactly these are known; a tenant that stays keeps its keys. Throws TypeError for an address that is unusable. */
  serve (providers: readonly ServiceTokenProvider[]): void
  /** Aborts what is in flight and closes all connections. */
  close (): Promise<void>
}

interface Tenant {
  provider: ServiceTokenProvider
  http: Http
  keys: TenantKeys
}

/** Throws TypeError for an address that is unusable. */
export function createServiceTokens (providers: readonly ServiceTokenProvider[], options: { now?: () => number } = {}): ServiceTokens {
  const now = options.now ?? Date.now
  let tenants = new Map<string, Tenant>()

  function open (provider: ServiceTokenProvider): Tenant {
    const { tenantId, authorityHost, graphBaseUrl, attemptTimeoutMs } = provider
    const endpoints = tenantEndpointsOf(authorityHost, tenantId, graphBaseUrl)
    const http = createHttp(attemptTimeoutMs)
    return { provider, http, keys: createTenantKeys({ http, endpoints, tenantId, attemptTimeoutMs, now }) }
  }

  function serve (wanted: readonly ServiceTokenProvider[]): void {
    const before = tenants
    tenants = new Map(wanted.map(provider => {
      const known = before.get(provider.providerId)
      return [provider.providerId, known !== undefined && isSamePlace(known.provider, provider) ? { ...known, provider } : open(provider)]
    }))
    for (const [providerId, { http }] of before) if (tenants.get(providerId)?.http !== http) http.drain()
  }

  serve(providers)

  async function claimsOf (providerId: string, token: string, audiences: readonly string[]): Promise<JWTPayload | null> {
    const tenant = tenants.get(providerId)
    if (tenant === undefined) return null
    const { provider: { tenantId }, keys } = tenant
    const kid = keyNamedBy(token, tenantId, audiences)
    const payload = kid === null ? null : await verified(token, kid, keys, audiences, now())
    return payload !== null && isSame(payload.tid, tenantId) ? payload : null
  }

  return {
    providersOf (token) {
      const tenantId = tenantNamedBy(token)
      return [...tenants.values()].filter(({ provider }) => isSame(tenantId, provider.tenantId)).map(({ provider }) => provider.providerId)
    },
    async applicationOf (providerId, token) {
      const provider = tenants.get(providerId)?.provider
      const payload = provider === undefined ? null : await claimsOf(providerId, token, provider.audiences)
      if (provider === undefined || payload === null || !isAppOnly(payload) || !rolesOf(payload).includes(provider.role)) return null
      return applicationIn(payload)
    },
    async operatorOf (providerId, token) {
      const operators = tenants.get(providerId)?.provider.operators
      const payload = operators === undefined ? null : await claimsOf(providerId, token, operators.audiences)
      if (operators === undefined || payload === null) return null
      const identity = isAppOnly(payload) ? applicationIn(payload) : personIn(payload)
      const roles = rolesOf(payload).filter(role => operators.roles.includes(role))
      return identity === null || roles.length === 0 ? null : { identity, roles }
    },
    claimsOf,
    serve,
    async close () {
      await Promise.all([...tenants.values()].map(async ({ http }) => await http.close()))
    }
  }
}

function isSamePlace (one: ServiceTokenProvider, other: ServiceTokenProvider): boolean {
  return one.tenantId === other.tenantId && one.authorityHost === other.authorityHost && one.graphBaseUrl === other.graphBaseUrl
}

function tenantNamedBy (token: string): unknown {
  if (token.length > longestToken) return null
  try {
    return decodeJwt(token).tid
  } catch {
    return null
  }
}

/** A look without trust: a token that says itself that it is not for us makes nobody ask the tenant for keys. */
function keyNamedBy (token: string, tenantId: string, audiences: readonly string[]): string | null {
  if (token.length > longestToken) return null
  try {
    const { alg, kid } = decodeProtectedHeader(token)
    const { aud, tid } = decodeJwt(token)
    const isMeant = typeof aud === 'string' && audiences.includes(aud) && isSame(tid, tenantId)
    return isMeant && alg !== undefined && algorithms.includes(alg) && typeof kid === 'string' ? kid : null
  } catch {
    return null
  }
}

async function verified (
  token: string, kid: string, keys: TenantKeys, audiences: readonly string[], nowMs: number
): Promise<JWTPayload | null> {
  const trust = await keys.find(kid)
  if (trust === null) return null
  try {
    const { payload } = await jwtVerify(token, trust.key, {
      algorithms,
      issuer: [...trust.issuers],
      audience: [...audiences],
      requiredClaims: ['exp', 'nbf', 'tid'],
      clockTolerance: clockLeewaySeconds,
      currentDate: new Date(nowMs)
    })
    return payload
  } catch {
    // Whatever is wrong with it, its bearer gets the same answer.
    return null
  }
}

function applicationIn (payload: JWTPayload): string | null {
  return guidIn(payload[payload.ver === '2.0' ? 'azp' : 'appid'])
}

/**
 * Who has signed in to an application and lets it act in his name. An ID token has roles too, but neither a scope nor the application
 * that was given it: it proves who somebody is, to that application alone.
 */
function personIn (payload: JWTPayload): string | null {
  const { idtyp, scp, oid } = payload
  const isDelegated = typeof scp === 'string' && scp !== '' && (idtyp === undefined || idtyp === 'user') && applicationIn(payload) !== null
  return isDelegated ? guidIn(oid) : null
}

function rolesOf ({ roles }: JWTPayload): string[] {
  return Array.isArray(roles) ? roles.filter(role => typeof role === 'string') : []
}

function guidIn (claim: unknown): string | null {
  return typeof claim === 'string' && guid.test(claim) ? claim.toLowerCase() : null
}

/** Entra: `idtyp` is there when the resource asks for it; without it a token for the application itself has no `scp`, and its `sub` is its `oid`. */
function isAppOnly ({ idtyp, scp, sub, oid }: JWTPayload): boolean {
  if (scp !== undefined) return false
  return idtyp === undefined ? sub !== undefined && sub === oid : idtyp === 'app'
}

function isSame (claim: unknown, tenantId: string): boolean {
  return typeof claim === 'string' && claim.toLowerCase() === tenantId.toLowerCase()
}
