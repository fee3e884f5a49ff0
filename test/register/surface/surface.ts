// The public listener over a registrar that keeps clients in memory: for what is decided by the surface alone.
import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { buildPublicServer } from '../../../src/http/public-server.ts'
import type { AuthorizationServer } from '../../../src/http/metadata/document.ts'
import { issuerOf } from '../../../src/http/register/issuer.ts'
import type { RegistrationMode } from '../../../src/http/register/routes.ts'
import { createLogger } from '../../../src/logger.ts'
import { RegistrationError } from '../../../src/registration/errors.ts'
import type { RegisteredClient } from '../../../src/registration/registered-client.ts'
import type { ReplaceDocument } from '../../../src/registration/managed-client.ts'
import { acceptMetadata } from '../../../src/registration/metadata/accept-metadata.ts'
import type { RequestedMetadata } from '../../../src/registration/metadata/requested-metadata.ts'
import { defaultRules } from '../../../src/registration/policy.ts'
import type { RegisterDocument } from '../../../src/registration/register-document.ts'
import type { Registrar } from '../../../src/registration/registrar.ts'
import type { Caller, ClientMetadata, Provider, Registration } from '../../../src/registration/registration.ts'
import { someCaller, someProjection } from '../../support/records.ts'

export const INITIAL_TOKEN = 'initial-token.of_the~tests'
export const READING_TOKEN = 'token-that-may-only-read'
export const MANAGEMENT_TOKEN = 'dcr_rat_of-the-tests'
export const CLIENT_ID = '01a20951-0000-4000-8000-0000000000c1'
export const PUBLIC_URL = 'https://dcr.example.com'

export interface Surface {
  /** Over a real socket; resolves to the base of its URLs. */
  listen (): Promise<string>
  /** Without one. */
  send (method: string, url: string, options?: SendOptions): Promise<LightMyRequestResponse>
  registered: Array<RegisterDocument & { caller: Caller }>
  replaced: ReplaceDocument[]
  answered: string[]
  /** The use cases and look-ups that were reached, in order. */
  calls: string[]
  /** What the next use case throws. */
  fail (error: Error): void
}

export interface SendOptions {
  body?: unknown
  /** Null: without. */
  token?: string | null
  headers?: Record<string, string>
}

export interface SurfaceOptions {
  mode?: RegistrationMode
  publicUrl?: string
  /** Changes of the client that every use case answers with. */
  client?: Partial<RegisteredClient>
  metadata?: Partial<ClientMetadata>
  scopes?: string[]
  tokensAreAway?: boolean
}

const providers: Provider[] = ['default', 'sales'].map((name, index) => ({
  id: `01a20951-0000-4000-8000-0000000000a${index}`, name, tenantId: `tenant-${name}`, issuer: 'https://sts.windows.net/x/', origin: 'environment'
}))

export async function openSurface (t: Test, options: SurfaceOptions = {}): Promise<Surface> {
  const { mode = 'token', publicUrl = PUBLIC_URL } = options
  const [registered, replaced, answered, calls]: [Surface['registered'], ReplaceDocument[], string[], string[]] = [[], [], [], []]
  let failure: Error | null = null

  const step = (name: string) => {
    calls.push(name)
    const error = failure
    failure = null
    if (error !== null) throw error
  }
  const clientOf = (requested: RequestedMetadata, managementToken: string | null): RegisteredClient => {
    const metadata = acceptMetadata(requested, { rules: defaultRules, scopes: new Map(), now: new Date(), unnamed: 'Unnamed client' })
    return {
      registration: { id: 'registration-1', clientId: CLIENT_ID, metadata: { ...metadata, ...options.metadata } } as Registration,
      clientId: CLIENT_ID,
      clientSecret: 'secret-of-the-tests',
      issuedAt: new Date('2026-01-02T03:04:05.678Z'),
      secretExpiresAt: new Date('2026-07-01T00:00:00.999Z'),
      managementToken,
      ...options.client
    }
  }
  let current: RequestedMetadata | null = null

  const registrar: Partial<Registrar> = {
    async registerDocument (document, { caller }) {
      step('register')
      registered.push({ ...document, caller })
      current = document.requested
      return clientOf(document.requested, MANAGEMENT_TOKEN)
    },
    async preview (requested) {
      step('preview')
      const { metadata } = clientOf(requested, null).registration
      return { policy: 'default', metadata, projection: someProjection({ redirectUris: { web: metadata.redirectUris, publicClient: [], spa: [] } }) }
    },
    answered (id, outcome) { answered.push(`${id} ${outcome}`) },
    async holderOf (_providerId, clientId, token) {
      step('holderOf')
      if (clientId !== CLIENT_ID || token !== MANAGEMENT_TOKEN || current === null) throw new RegistrationError('invalid_token', 'The token is not valid.')
      return { registration: clientOf(current, null).registration, token, digest: new Uint8Array() }
    },
    async readRegistration ({ token }) {
      step('read')
      return clientOf(current as RequestedMetadata, token)
    },
    async replaceRegistration ({ token }, document) {
      step('replace')
      replaced.push(document)
      current = document.requested
      return clientOf(document.requested, token)
    },
    async endRegistration () {
      step('end')
      current = null
    }
  }

  const server = await buildPublicServer({
    logger: createLogger({ level: 'silent' }),
    registrar: registrar as Registrar,
    // No test of this surface gets so far.
    registrations: {} as never,
    recogniseCaller: async () => null,
    async recogniseRegistrant (providerId, bearer) {
      calls.push('recognise')
      const caller = (scopes: string[]) => someCaller({ id: 'caller-1', kind: 'initial_access_token', providerId, scopes })
      if (bearer === null) return mode === 'open' ? { ...caller(['register']), kind: 'anonymous' } : null
      if (bearer === READING_TOKEN) return caller(['read'])
      return bearer === INITIAL_TOKEN ? caller(['register']) : null
    },
    registrationMode: mode,
    providers: { named: name => providers.find(provider => provider.name === name) ?? null },
    authorizationServers: {
      of: name => providers.some(provider => provider.name === name) ? authorizationServer(issuerOf(publicUrl, name), options.scopes) : null
    },
    version: '0.0.0',
    publicUrl,
    issuerBase: () => publicUrl,
    // Every key is new.
    idempotency: {
      requestDeadlineMs: 8_000,
      requests: {
        begin: async () => ({ kind: 'open', request: { id: 'record-1', attempt: 1, resourceId: 'registration-1', isResumed: false } }),
        end: async () => {},
        erase: async () => ({ erased: 0 })
      }
    }
  })
  t.teardown(() => server.close())

  return {
    registered,
    replaced,
    answered,
    calls,
    listen: () => server.listen({ host: '127.0.0.1', port: 0 }),
    fail: error => { failure = error },
    async send (method, url, { body, token = INITIAL_TOKEN, headers = {} } = {}) {
      return await server.inject({
        method: method as 'GET',
        url,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers
        },
        ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) })
      })
    }
  }
}

function authorizationServer (issuer: string, scopes = ['openid', 'offline_access']): AuthorizationServer {
  const tenant = 'https://login.example.com/tenant'
  return {
    issuer,
    scopes,
    grantTypes: ['authorization_code', 'refresh_token'],
    authMethods: ['client_secret_basic', 'none'],
    endpoints: {
      authorizationEndpoint: `${tenant}/authorize`,
      tokenEndpoint: `${tenant}/token`,
      jwksUri: `${tenant}/keys`,
      deviceAuthorizationEndpoint: `${tenant}/devicecode`,
      endSessionEndpoint: `${tenant}/logout`,
      userinfoEndpoint: 'https://graph.example.com/oidc/userinfo'
    }
  }
}

/** Two members, both strings in ASCII, never to be cached. */
export function isFailure (t: Test, answer: LightMyRequestResponse, status: number, error: string, name: string): void {
  t.equal(answer.statusCode, status, `${name}: status`)
  const body = answer.json<Record<string, string>>()
  t.strictSame(Object.keys(body), ['error', 'error_description'], `${name}: members`)
  t.equal(body.error, error, `${name}: code`)
  t.match(body.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/, `${name}: ASCII`)
  t.match(answer.headers, { 'cache-control': 'no-store', 'content-type': /^application\/json/ }, `${name}: headers`)
  if (status !== 401 && status !== 403) t.notOk('www-authenticate' in answer.headers, `${name}: no challenge`)
}
