// A client of the standards: it finds its server (RFC 8414), registers (RFC 7591), manages itself (RFC 7592) and signs a user in with PKCE.
import { createHash, randomBytes } from 'node:crypto'
import type { TokenAnswer } from './entra-client.ts'

export interface ServerMetadata {
  issuer: string
  registration_endpoint: string
  authorization_endpoint: string
  token_endpoint: string
}

export interface DocumentAnswer {
  status: number
  /** Empty where the answer has no body. */
  body: Record<string, unknown>
}

export interface SignInRequest {
  clientId: string
  /** Null: a public client. */
  clientSecret: string | null
  redirectUri: string
  scope: string
}

export async function discover (issuer: string): Promise<ServerMetadata> {
  const response = await fetch(`${issuer}/.well-known/oauth-authorization-server`)
  if (response.status !== 200) throw new Error(`The metadata answer ${response.status}`)
  const metadata = await response.json() as ServerMetadata
  // RFC 8414 §3.3
  if (metadata.issuer !== issuer) throw new Error(`${issuer} says that it is ${metadata.issuer}`)
  return metadata
}

/** Registration and management alike: a document and a bearer token, null for none. */
export async function send (method: 'POST' | 'GET' | 'PUT' | 'DELETE', address: string, bearer: string | null, document?: object): Promise<DocumentAnswer> {
  const response = await fetch(address, {
    method,
    headers: {
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      ...(document === undefined ? {} : { 'content-type': 'application/json' })
    },
    ...(document === undefined ? {} : { body: JSON.stringify(document) })
  })
  const body = await response.text()
  return { status: response.status, body: body === '' ? {} : JSON.parse(body) as Record<string, unknown> }
}

/** The user of the simulated tenant is always signed in and agrees: the code comes back at once. */
export async function signIn (metadata: ServerMetadata, request: SignInRequest): Promise<TokenAnswer> {
  const { clientId, clientSecret, redirectUri, scope } = request
  const verifier = randomBytes(32).toString('base64url')
  const state = randomBytes(16).toString('base64url')
  const address = new URL(metadata.authorization_endpoint)
  address.search = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256'
  }).toString()
  const response = await fetch(address, { redirect: 'manual' })
  const location = response.headers.get('location')
  // Entra tells the user, not the client, what is wrong with a client or a redirect URI.
  if (location === null) return { status: response.status, error: descriptionIn(await response.json()) }
  const { searchParams } = new URL(location)
  if (!location.startsWith(`${redirectUri}?`) || searchParams.get('state') !== state) throw new Error(`The user was sent to ${location}`)
  const code = searchParams.get('code')
  if (code === null) return { status: response.status, error: descriptionIn(Object.fromEntries(searchParams)) }
  return await redeem(metadata, {
    client_id: clientId,
    ...(clientSecret !== null && { client_secret: clientSecret }),
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier
  })
}

async function redeem (metadata: ServerMetadata, parameters: Record<string, string>): Promise<TokenAnswer> {
  const response = await fetch(metadata.token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'authorization_code', ...parameters })
  })
  const body = await response.json() as { access_token?: string }
  return response.status === 200 && body.access_token !== undefined
    ? { status: 200, token: body.access_token }
    : { status: response.status, error: descriptionIn(body) }
}

function descriptionIn (body: unknown): string {
  const { error_description: description } = body as { error_description?: string }
  return description ?? 'no description'
}
