// What a tenant thinks of the broker, by looking only: its token, the roles in it, whether Graph takes it, who owns our applications, what time it is there.
import { decodeJwt } from 'jose'
import { DirectoryError } from '../registration/ports.ts'
import { cloudOf } from './clouds.ts'
import type { EntraProviderSettings } from './entra-directories.ts'
import { graphError, graphFailure } from './graph-errors.ts'
import { createHttp, HttpFailure, type Http, type HttpAnswer } from './http.ts'
import { member, parseJson } from './json.ts'
import { alternateKey, guid } from './odata.ts'
import { requestToken } from './token-request.ts'

export interface TenantInspection {
  /** As the token says it; null: it does not. */
  tenantId: string | null
  /** Application permissions in the token. */
  roles: string[]
  /** How far Graph's clock is ahead of ours; null: it did not say. */
  clockAheadMs: number | null
  /** Of the applications asked about, those the broker can't change, by object id. */
  ownership: Array<{ objectId: string, owned: 'yes' | 'no' | 'gone' | 'unknown' }>
}

/** Asks for a token and reads; changes nothing. Throws DirectoryError when there is no token or Graph refuses it. */
export async function inspectTenant (settings: EntraProviderSettings, objectIds: readonly string[], signal: AbortSignal): Promise<TenantInspection> {
  const { authorityHost, tenantId, graphBaseUrl, clientId, credential, attemptTimeoutMs } = settings
  const cloud = cloudOf(authorityHost, tenantId, graphBaseUrl)
  const http = createHttp(attemptTimeoutMs)
  try {
    const { value: token } = await requestToken({ http, cloud, tenantId, clientId, credential }, signal)
    const claims = claimsOf(token)
    const read = async (name: string, path: string) => await readGraph(http, { name, url: `${cloud.graphBaseUrl}/${cloud.graphVersion}${path}`, token }, signal)
    // A name that no registration has: found or not, Graph has taken the token.
    const answer = await read('look for an application', `/applications${alternateKey('uniqueName', 'dcr-doctor')}?$select=id`)
    if (answer.status !== 404 && answer.status >= 300) throw graphError('look for an application', answer, false)
    const ownership: TenantInspection['ownership'] = []
    for (const objectId of objectIds) {
      const owners = await read('list owners', `/applications/${guid(objectId)}/owners?$select=id`)
      ownership.push({ objectId, owned: ownedBy(claims.principalId, owners) })
    }
    return { ...claims, clockAheadMs: clockAheadMs(answer), ownership }
  } finally {
    await http.close()
  }
}

async function readGraph (http: Http, { name, url, token }: { name: string, url: string, token: string }, signal: AbortSignal): Promise<HttpAnswer> {
  try {
    return await http.send({ method: 'GET', url, headers: { authorization: `Bearer ${token}`, accept: 'application/json' }, signal })
  } catch (error) {
    throw error instanceof HttpFailure ? graphFailure(name, error, false) : error
  }
}

/** Entra's own access tokens for Graph are not ours to verify; what they say of us is only shown. */
function claimsOf (token: string): Pick<TenantInspection, 'tenantId' | 'roles'> & { principalId: string | null } {
  try {
    const { tid, oid, roles } = decodeJwt(token)
    return {
      tenantId: typeof tid === 'string' ? tid : null,
      principalId: typeof oid === 'string' ? oid : null,
      roles: Array.isArray(roles) ? roles.map(String) : []
    }
  } catch {
    throw new DirectoryError('unavailable', 'the broker\'s own token can\'t be read', { diagnostics: { reason: 'unreadable_token' } })
  }
}

function ownedBy (principalId: string | null, { status, text }: HttpAnswer): 'yes' | 'no' | 'gone' | 'unknown' {
  if (status === 404) return 'gone'
  const owners = member(parseJson(text), 'value')
  if (status >= 300 || !Array.isArray(owners) || principalId === null) return 'unknown'
  return owners.some(owner => member(owner, 'id') === principalId) ? 'yes' : 'no'
}

function clockAheadMs ({ headers: { date } }: HttpAnswer): number | null {
  const ms = typeof date === 'string' ? Date.parse(date) : NaN
  return Number.isNaN(ms) ? null : ms - Date.now()
}
