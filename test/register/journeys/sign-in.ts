// A user's sign-in as a client of its own makes it: everything it knows stands in the broker's metadata and in its registration.
import { createHash, randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import { startTestBroker, type TestBroker } from '../../support/broker.ts'

export type Platform = 'web' | 'publicClient' | 'spa'

/** Anybody may register, and the issuer answers where it says it is. */
export async function openBroker (t: Test): Promise<TestBroker> {
  return await startTestBroker(t, { isAtItsIssuer: true, environment: { REGISTRATION_MODE: 'open' } })
}

export interface ServerMetadata {
  issuer: string
  authorization_endpoint: string
  token_endpoint: string
  registration_endpoint: string
}

/** Where a client looks for metadata, in the order of the MCP authorization specification. */
export function metadataAddresses (issuer: string): string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const inserted = ['oauth-authorization-server', 'openid-configuration'].map(name => `${origin}/.well-known/${name}${path}`)
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`]
}

/** The first metadata there is. Null: none, and every address said 404. */
export async function discover (issuer: string): Promise<ServerMetadata | null> {
  for (const address of metadataAddresses(issuer)) {
    const response = await fetch(address, { headers: { accept: 'application/json', 'mcp-protocol-version': '2025-11-25' } })
    if (response.status === 404) continue
    if (response.status !== 200) throw new Error(`${address} answers ${response.status}`)
    const metadata = await response.json() as ServerMetadata
    // RFC 8414 §3.3.
    if (metadata.issuer !== issuer) throw new Error(`${address} says it is ${metadata.issuer}`)
    return metadata
  }
  return null
}

export async function discovered (issuer: string): Promise<ServerMetadata> {
  const metadata = await discover(issuer)
  if (metadata === null) throw new Error(`${issuer} has no metadata`)
  return metadata
}

/** A registered client, as its answer says. */
export interface SigningInClient {
  client_id: string
  client_secret?: string
}

export interface SignInRequest {
  metadata: ServerMetadata
  client: SigningInClient
  redirectUri: string
  scope: string
  /** RFC 8707, as MCP clients send it. */
  resource?: string
  /** Of the page that redeems the code; none: not a browser. */
  origin?: string
}

export interface TokenAnswer {
  status: number
  body: any
}

const unguessable = (): string => randomBytes(32).toString('base64url')

/** Where the user is sent; null when the answer is shown to the user instead. */
export async function authorize (
  { metadata, client, redirectUri, scope, resource }: SignInRequest, verifier: string
): Promise<{ status: number, location: URL | null, body: any }> {
  const address = new URL(metadata.authorization_endpoint)
  const state = unguessable()
  for (const [name, value] of Object.entries({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(resource !== undefined && { resource })
  })) address.searchParams.set(name, value)
  const response = await fetch(address, { redirect: 'manual' })
  const location = response.headers.get('location')
  if (location === null) return { status: response.status, location: null, body: await response.json() }
  const returned = new URL(location)
  if (!location.startsWith(redirectUri) || returned.searchParams.get('state') !== state) throw new Error(`Sent to ${location}`)
  return { status: response.status, location: returned, body: null }
}

export async function requestToken ({ metadata, client, origin }: SignInRequest, form: Record<string, string>): Promise<TokenAnswer> {
  const { client_id: clientId, client_secret: clientSecret } = client
  const response = await fetch(metadata.token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({ client_id: clientId, ...(clientSecret !== undefined && { client_secret: clientSecret }), ...form }),
    headers: origin === undefined ? {} : { origin }
  })
  return { status: response.status, body: await response.json() }
}

/** The token endpoint's answer to a code that was asked for with PKCE. Throws when there is no code. */
export async function signIn (request: SignInRequest): Promise<TokenAnswer> {
  const verifier = unguessable()
  const { location, body } = await authorize(request, verifier)
  const code = location?.searchParams.get('code') ?? null
  if (code === null) throw new Error(`There is no code: ${JSON.stringify(body ?? location?.search)}`)
  return await requestToken(request, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: request.redirectUri,
    code_verifier: verifier,
    ...(request.resource !== undefined && { resource: request.resource })
  })
}

/** Why the user gets no code: Entra's own page, or the error that the client is told. Throws when there is a code. */
export async function refusalOfSignIn (request: SignInRequest): Promise<{ error: string, description: string, isShownToUser: boolean }> {
  const { location, body } = await authorize(request, unguessable())
  const error = location === null ? body.error : location.searchParams.get('error')
  const description = location === null ? body.error_description : location.searchParams.get('error_description')
  if (typeof error !== 'string' || typeof description !== 'string') throw new Error(`It is not refused: ${location?.href ?? ''}`)
  return { error, description, isShownToUser: location === null }
}
