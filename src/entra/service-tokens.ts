// Entra access tokens of services, shown instead of an initial access token: which application of the tenant stands behind one.
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

export interface ServiceTokenProvider {
  providerId: string
  tenantId: string
  authorityHost: string
  graphBaseUrl?: string
  /** What the token must be for: App ID URIs (v1 tokens) and application ids (v2 tokens). */
  audiences: readonly string[]
  /** App role that must be in `roles`. */
  role: string
  /** Bounds one look at the tenant's keys, and one connection attempt. */
  attemptTimeoutMs: number
}

export interface ServiceTokens {
  /**
   * The application id (lower case) behind a token of this provider's tenant; null for anything else.
   * Throws DirectoryError `unavailable` when the tenant's keys can't be had.
   */
  applicationOf (providerId: string, token: string): Promise<string | null>
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
  return {
    async applicationOf (providerId, token) {
      const tenant = tenants.get(providerId)
      const kid = tenant === undefined ? null : keyNamedBy(token, tenant.provider)
      if (tenant === undefined || kid === null) return null
      const payload = await verified(token, kid, tenant.keys, tenant.provider, now())
      return payload === null ? null : applicationIn(payload, tenant.provider)
    },
    serve,
    async close () {
      await Promise.all([...tenants.values()].map(async ({ http }) => await http.close()))
    }
  }
}

function isSamePlace (one: ServiceTokenProvider, other: ServiceTokenProvider): boolean {
  return one.tenantId === other.tenantId && one.authorityHost === other.authorityHost && one.graphBaseUrl === other.graphBaseUrl
}

/** A look without trust: a token that says itself that it is not for us makes nobody ask the tenant for keys. */
function keyNamedBy (token: string, { tenantId, audiences }: ServiceTokenProvider): string | null {
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
  token: string, kid: string, keys: TenantKeys, { audiences }: ServiceTokenProvider, nowMs: number
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

function applicationIn (payload: JWTPayload, { tenantId, role }: ServiceTokenProvider): string | null {
  const { tid, roles, ver } = payload
  if (!isSame(tid, tenantId) || !isAppOnly(payload) || !Array.isArray(roles) || !roles.includes(role)) return null
  const application = payload[ver === '2.0' ? 'azp' : 'appid']
  return typeof application === 'string' && guid.test(application) ? application.toLowerCase() : null
}

/** Entra: `idtyp` is there when the resource asks for it; without it a token for the application itself has no `scp`, and its `sub` is its `oid`. */
function isAppOnly ({ idtyp, scp, sub, oid }: JWTPayload): boolean {
  if (scp !== undefined) return false
  return idtyp === undefined ? sub !== undefined && sub === oid : idtyp === 'app'
}

function isSame (claim: unknown, tenantId: string): boolean {
  return typeof claim === 'string' && claim.toLowerCase() === tenantId.toLowerCase()
}
