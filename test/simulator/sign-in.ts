// A user's sign-in at the simulator, as a client makes it: the authorization request, and the redemption of its code.
import { createHash } from 'node:crypto'
import { createIfMissing } from './simulated-tenant.ts'
import type { Answer, SimulatedTenant } from './simulated-tenant.ts'

export const verifier = 'a-verifier-of-at-least-forty-three-characters'
export const challenge = createHash('sha256').update(verifier).digest('base64url')

export interface AuthorizeAnswer {
  status: number
  /** Where the user is sent, without what was added; null when the answer is shown to the user. */
  address: string | null
  /** What was added to the redirect URI. */
  outcome: Record<string, string>
  body: Record<string, unknown> | null
}

type Parameters = Record<string, string | string[] | undefined>

/** Asks for a code, with PKCE, unless `parameters` say otherwise; undefined leaves a parameter out. */
export async function authorize ({ simulator }: SimulatedTenant, parameters: Parameters): Promise<AuthorizeAnswer> {
  const query = new URLSearchParams()
  const defaults = { response_type: 'code', state: 'st&te', code_challenge: challenge, code_challenge_method: 'S256' }
  for (const [name, value] of Object.entries({ ...defaults, ...parameters })) {
    for (const one of [value].flat()) if (one !== undefined) query.append(name, one)
  }
  const response = await fetch(`${simulator.url}/${simulator.tenantId}/oauth2/v2.0/authorize?${query.toString()}`, { redirect: 'manual' })
  const location = response.headers.get('location')
  const text = await response.text()
  const [address = '', added = ''] = location?.split(/[?#&](?=(?:code|error)=)/) ?? []
  return {
    status: response.status,
    address: location === null ? null : address,
    outcome: Object.fromEntries(new URLSearchParams(added)),
    body: location === null ? JSON.parse(text) : null
  }
}

export interface SignedInClient {
  objectId: string
  clientId: string
  principalId: string
}

/** An application with its principal and no credential. */
export async function publicApplication ({ graph, upsert }: SimulatedTenant, uniqueName: string, body: object): Promise<SignedInClient> {
  const { body: application } = await upsert(uniqueName, { displayName: 'A client', ...body })
  const clientId = String(application['appId'])
  const { body: principal } = await graph('PATCH', `/servicePrincipals(appId='${clientId}')`, { body: {}, headers: createIfMissing })
  return { objectId: String(application['id']), clientId, principalId: String(principal['id']) }
}

export interface Redemption {
  form?: Record<string, string>
  headers?: Record<string, string>
}

/** Signs the user in and resolves the code. Throws when there is none. */
export async function codeOf (tenant: SimulatedTenant, parameters: Parameters): Promise<string> {
  const { outcome, body } = await authorize(tenant, parameters)
  const code = outcome['code']
  if (code === undefined) throw new Error(`There is no code: ${JSON.stringify(body ?? outcome)}`)
  return code
}

/** Redeems a code with its verifier. */
export const redeem = (
  tenant: SimulatedTenant, code: string, client: { clientId: string, redirectUri: string }, { form = {}, headers = {} }: Redemption = {}
): Promise<Answer> => tenant.token('v2', {
  grant_type: 'authorization_code', code, client_id: client.clientId, redirect_uri: client.redirectUri, code_verifier: verifier, ...form
}, headers)
