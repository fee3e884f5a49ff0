// A stand-in for a data plane of Kong's with the plugin konnect-application-auth on it, as far as its documentation says what it does:
// the openid-connect configuration of an auth strategy decides who a request is from, and a `konnect_applications` entity with exactly
// that client id lets it through. Written from Kong's documentation; no code of Kong's is in it, and nothing here knows the broker.
//
// Kong publishes no status for a client that no application has; 401 here. The reason is for the reader of a test: Kong says less.
import { createIssuer, Refusal, type Issuer } from './kong-oidc-issuer.ts'
import { claimAt, pluginConfigOf, type CredentialPlace, type PluginConfig } from './kong-oidc-config.ts'

export interface DataPlaneOptions {
  /** `configs['openid-connect']` of the strategy, as Konnect got it. */
  config: Readonly<Record<string, unknown>>
  /** The client ids of the `konnect_applications` that Konnect has pushed. */
  applications: ReadonlySet<string>
  /** Where the host of an address really listens: the hosts file of the data plane. */
  resolve?: (url: URL) => URL
  nowMs?: () => number
}

export interface ClientRequest {
  headers?: Record<string, string>
  query?: Record<string, string>
  /** Of a form. */
  body?: Record<string, string>
}

export type Verdict =
  | { status: 200, clientId: string, upstreamAuthorization: string, claims: Record<string, unknown> }
  | { status: 401 | 403, reason: string }

export interface DataPlane {
  handle (request: ClientRequest): Promise<Verdict>
}

interface Credentials { clientId: string, clientSecret: string }

export function createDataPlane ({ config: given, applications, resolve = url => url, nowMs = Date.now }: DataPlaneOptions): DataPlane {
  const config = pluginConfigOf(given)
  const issuer = createIssuer({ config, resolve, nowMs })
  const tokenOf = tokenSource(config, issuer, resolve, nowMs)

  async function authenticate (request: ClientRequest): Promise<Verdict> {
    const token = await tokenIn(request)
    const claims = await issuer.verify(token)
    const clientId = claimAt(claims, config.credentialClaim)
    if (typeof clientId !== 'string') throw new Refusal(401, `no credential: the token has no ${config.credentialClaim.join('.')}`)
    if (!applications.has(clientId)) throw new Refusal(401, `no application has the client id ${clientId}`)
    return { status: 200, clientId, upstreamAuthorization: `Bearer ${token}`, claims }
  }

  // Kong: the first credential that is found decides, in this order whatever the order of auth_methods.
  async function tokenIn (request: ClientRequest): Promise<string> {
    const bearer = config.authMethods.includes('bearer') ? bearerToken(request, config.bearerTokenPlaces) : null
    if (bearer !== null) return bearer
    if (config.authMethods.includes('password') && basic(request) !== null) {
      throw new Refusal(401, 'password: the credentials were taken for those of a user')
    }
    const credentials = config.authMethods.includes('client_credentials') ? clientCredentials(request, config.clientCredentialsPlaces) : null
    if (credentials !== null) return await tokenOf(credentials)
    throw new Refusal(401, 'no credentials')
  }

  return {
    async handle (request) {
      try {
        return await authenticate(request)
      } catch (error) {
        if (error instanceof Refusal) return { status: error.status, reason: error.message }
        throw error
      }
    }
  }
}

/** Resolves to the token of a client; keeps it until it ends, where the plugin is told to. */
function tokenSource (config: PluginConfig, issuer: Issuer, resolve: (url: URL) => URL, nowMs: () => number) {
  const cache = new Map<string, { token: string, untilMs: number }>()
  return async (credentials: Credentials): Promise<string> => {
    const key = JSON.stringify(credentials)
    const cached = config.cacheTokens ? cache.get(key) : undefined
    if (cached !== undefined && cached.untilMs > nowMs()) return cached.token
    const { token, expiresIn } = await requestToken(resolve(new URL((await issuer.discover()).token_endpoint)), config, credentials)
    cache.set(key, { token, untilMs: nowMs() + Math.min(expiresIn, config.cacheTtlMaxSeconds) * 1000 })
    return token
  }
}

async function requestToken (url: URL, config: PluginConfig, { clientId, clientSecret }: Credentials): Promise<{ token: string, expiresIn: number }> {
  const isBasic = config.clientAuth === 'client_secret_basic'
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  if (config.scopes.length > 0) form.set('scope', config.scopes.join(' '))
  if (!isBasic) for (const [name, value] of Object.entries({ client_id: clientId, client_secret: clientSecret })) form.set(name, value)
  for (const [name, value] of config.tokenPostArguments) form.set(name, value)
  // Kong's page for Azure has the secret configured in its URL-encoded form: what it is given is not encoded again.
  const headers: Record<string, string> = isBasic ? { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` } : {}
  const response = await fetch(url, { method: 'POST', body: form, headers })
  const answer = await response.json() as { access_token?: string, expires_in?: number | string, error_description?: string }
  if (!response.ok || answer.access_token === undefined) throw new Refusal(401, answer.error_description ?? `the token endpoint answers ${response.status}`)
  return { token: answer.access_token, expiresIn: Number(answer.expires_in ?? 3600) }
}

function bearerToken ({ headers = {}, query = {}, body = {} }: ClientRequest, places: readonly CredentialPlace[]): string | null {
  const [, authorization] = /^Bearer (.+)$/i.exec(headers['authorization'] ?? '') ?? []
  const found = { header: authorization ?? headers['access-token'] ?? headers['x-access-token'], query: query['access_token'], body: body['access_token'] }
  return places.map(place => found[place]).find(token => token !== undefined) ?? null
}

function clientCredentials (request: ClientRequest, places: readonly CredentialPlace[]): Credentials | null {
  const { query = {}, body = {} } = request
  const found = { header: basic(request), query: parameters(query), body: parameters(body) }
  return places.map(place => found[place]).find(credentials => credentials !== null) ?? null
}

/** RFC 7617: base64, and the first colon ends the name. */
function basic ({ headers = {} }: ClientRequest): Credentials | null {
  const [, encoded] = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(headers['authorization'] ?? '') ?? []
  if (encoded === undefined) return null
  const [clientId = '', ...rest] = Buffer.from(encoded, 'base64').toString().split(':')
  return { clientId, clientSecret: rest.join(':') }
}

function parameters ({ client_id: clientId, client_secret: clientSecret }: Record<string, string>): Credentials | null {
  return clientId === undefined || clientSecret === undefined ? null : { clientId, clientSecret }
}
