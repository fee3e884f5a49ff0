// What signs and issues a tenant's tokens: its issuers and public keys, asked for at its own login host and kept.
import { importJWK, type CryptoKey } from 'jose'
import { DirectoryError } from '../registration/ports.ts'
import type { TenantEndpoints } from './clouds.ts'
import { HttpFailure, type Http } from './http.ts'
import { member, parseJson } from './json.ts'

/** Older keys are still good while new ones are asked for: a key that Entra has withdrawn is not trusted much longer. */
const renewAfterMs = 3_600_000
/** Older keys are not used: Entra asks for a look once a day. */
const keptMs = 24 * 3_600_000
/** Anybody can show a token that names an unknown key: the tenant is not asked for each of them. */
const pauseMs = 30_000
const pauseAfterFailureMs = 5_000
/** Entra: some ten keys of 2048 bits. Making thousands of keys, or huge ones, would keep the process busy. */
const mostKeys = 100
const longestModulus = 1_400
const longestExponent = 12

export interface TenantTrust {
  /** Of v1 and of v2 tokens. */
  issuers: readonly string[]
  key: CryptoKey | Uint8Array
}

export interface TenantKeys {
  /** The key of this name; null when the tenant has none. Throws DirectoryError `unavailable` when that can't be found out. */
  find (kid: string): Promise<TenantTrust | null>
}

export interface TenantKeysOptions {
  http: Http
  endpoints: TenantEndpoints
  tenantId: string
  /** Bounds one round of questions, not the request that happened to come first. */
  attemptTimeoutMs: number
  now?: () => number
}

interface Kept {
  issuers: readonly string[]
  keys: ReadonlyMap<string, TenantTrust['key']>
  askedAtMs: number
}

export function createTenantKeys ({ http, endpoints, tenantId, attemptTimeoutMs, now = Date.now }: TenantKeysOptions): TenantKeys {
  let kept: Kept | null = null
  let flight: Promise<Kept> | null = null
  let failure: DirectoryError | null = null
  let quietUntilMs = 0

  async function ask (): Promise<Kept> {
    try {
      const signal = AbortSignal.timeout(attemptTimeoutMs)
      const [jwks, ...documents] = await Promise.all([endpoints.jwksUri, ...endpoints.discovery].map(async url => await getJson(http, url, signal)))
      kept = { issuers: documents.map(document => issuerOf(document, tenantId)), keys: await keysOf(jwks, tenantId), askedAtMs: now() }
      failure = null
      quietUntilMs = now() + pauseMs
      return kept
    } catch (error) {
      failure = error instanceof DirectoryError ? error : unavailable('UNREADABLE', error)
      quietUntilMs = now() + pauseAfterFailureMs
      throw failure
    } finally {
      flight = null
    }
  }

  async function renewed (): Promise<Kept> {
    if (flight === null && failure !== null && now() < quietUntilMs) throw failure
    flight ??= ask()
    return await flight
  }

  async function current (): Promise<Kept> {
    const ageMs = kept === null ? Infinity : now() - kept.askedAtMs
    if (kept === null || ageMs >= keptMs) return await renewed()
    // Nobody waits for it, and a failure changes nothing while what is kept is good.
    if (ageMs >= renewAfterMs) renewed().catch(() => undefined)
    return kept
  }

  return {
    async find (kid) {
      const known = await current()
      const trust = trustIn(known, kid)
      if (trust !== null) return trust
      // Entra rolls its keys over at any time; but a key that was not there a moment ago is not there now.
      if (failure === null && now() < quietUntilMs) return null
      return trustIn(await renewed(), kid)
    }
  }
}

function trustIn ({ issuers, keys }: Kept, kid: string): TenantTrust | null {
  const key = keys.get(kid)
  return key === undefined ? null : { issuers, key }
}

async function getJson (http: Http, url: string, signal: AbortSignal): Promise<unknown> {
  try {
    const { status, text } = await http.send({ method: 'GET', url, headers: { accept: 'application/json' }, signal })
    if (status !== 200) throw unavailable(`HTTP_${status}`)
    return parseJson(text)
  } catch (error) {
    throw error instanceof HttpFailure ? unavailable(error.code, error) : error
  }
}

/** Entra: the v1 issuer differs from cloud to cloud, so it is read and not built. */
function issuerOf (document: unknown, tenantId: string): string {
  const issuer = member(document, 'issuer')
  if (typeof issuer !== 'string' || !issuer.toLowerCase().includes(tenantId.toLowerCase())) throw unavailable('ISSUER')
  return issuer
}

async function keysOf (jwks: unknown, tenantId: string): Promise<Map<string, TenantTrust['key']>> {
  const listed = member(jwks, 'keys')
  if (!Array.isArray(listed)) throw unavailable('KEYS')
  const keys = new Map<string, TenantTrust['key']>()
  for (const jwk of (listed as unknown[]).slice(0, mostKeys)) {
    const [kty, kid, use, n, e, issuer] = ['kty', 'kid', 'use', 'n', 'e', 'issuer'].map(name => member(jwk, name))
    if (kty !== 'RSA' || typeof kid !== 'string' || typeof n !== 'string' || typeof e !== 'string' || (use !== undefined && use !== 'sig')) continue
    if (n.length > longestModulus || e.length > longestExponent) continue
    // Entra: a key may say for which tenant's tokens it is.
    if (typeof issuer === 'string' && !issuer.includes('{tenantid}') && !issuer.toLowerCase().includes(tenantId.toLowerCase())) continue
    const key = await importJWK({ kty, n, e }, 'RS256').catch(() => null)
    if (key !== null) keys.set(kid, key)
  }
  return keys
}

function unavailable (reason: string, cause?: unknown): DirectoryError {
  return new DirectoryError('unavailable', `what signs the tenant's tokens can't be found out (${reason})`, { cause, diagnostics: { reason } })
}
