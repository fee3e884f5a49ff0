// The authorization endpoint: /<tenant>/oauth2/v2.0/authorize. Nobody signs in: the tenant's one user is always there and agrees at once.
// What is wrong with client or redirect URI is shown to the user (here as JSON); everything after that is told to the client by a
// redirect (RFC 6749 §4.1.2.1). Entra shows some of those on a page of its own too; which ones is not verified.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AadstsError, applicationNotFound, parameterMissing, tenantNotFound } from './aadsts-errors.ts'
import { knownApplication, knownPrincipal } from './client-authentication.ts'
import { delegatedAccess } from './delegated-scopes.ts'
import type { Client } from './delegated-scopes.ts'
import { exchangeOf } from './exchange.ts'
import { sightOf } from './lag.ts'
import { platformOf } from './redirect-uris.ts'
import type { Platform } from './redirect-uris.ts'
import {
  challengeInvalid, challengeRequired, redirectUriMismatch, redirectUriMissing, requestMalformed, responseModeUnsupported, responseTypeUnsupported
} from './sign-in-errors.ts'
import type { CodeRecord } from './sign-ins.ts'
import type { Simulation, Tenant } from './tenants.ts'
import { sendIdentityError } from './token-endpoint.ts'

interface AuthorizeRoute { Params: { tenant: string } }

/** Where an answer goes: a redirect URI that is the client's. */
interface ReturnAddress {
  redirectUri: string
  platform: Platform
  mode: 'query' | 'fragment'
  state: string | null
}

export function authorizeEndpoint (app: FastifyInstance, simulation: Simulation): void {
  app.setErrorHandler((error, request, reply) => sendIdentityError(simulation, error, request, reply))

  app.get<AuthorizeRoute>('/:tenant/oauth2/v2.0/authorize', (request, reply) => {
    const tenant = simulation.tenants.get(request.params.tenant.toLowerCase())
    if (tenant === undefined) throw tenantNotFound(request.params.tenant)
    const parameters = new URL(request.originalUrl, simulation.url()).searchParams
    const client = clientOf(simulation, tenant, parameters)
    const address = returnAddressOf(simulation, tenant, client, parameters)
    reply.header('cache-control', 'no-store, no-cache')
    return reply.redirect(returned(address, () => ({ code: signIn(tenant, client, address, parameters) }), request, simulation), 302)
  })
}

function clientOf (simulation: Simulation, tenant: Tenant, parameters: URLSearchParams): Client {
  const clientId = parameters.get('client_id')
  if (!clientId) throw parameterMissing('client_id')
  const application = knownApplication(simulation, tenant, clientId)
  return { application, principal: knownPrincipal(simulation, tenant, application) }
}

/** Redirect URIs are seen as any other read sees them: too early, or as they were. */
function returnAddressOf (simulation: Simulation, tenant: Tenant, { application }: Client, parameters: URLSearchParams): ReturnAddress {
  const redirectUri = parameters.get('redirect_uri')
  if (!redirectUri) throw redirectUriMissing()
  const seen = sightOf(application, simulation.lag, simulation.now())
  if (seen === null) throw applicationNotFound(application.appId, tenant.id)
  const platform = platformOf(seen.properties, redirectUri)
  if (platform === null) throw redirectUriMismatch(redirectUri, application.appId)
  const mode = parameters.get('response_mode') ?? 'query'
  if (mode !== 'query' && mode !== 'fragment') throw responseModeUnsupported(mode)
  return { redirectUri, platform, mode, state: parameters.get('state') }
}

/** Signs the user in and resolves the code. Throws AadstsError. */
function signIn (tenant: Tenant, client: Client, { redirectUri, platform }: ReturnAddress, parameters: URLSearchParams): string {
  const responseType = parameters.get('response_type')
  if (!responseType) throw parameterMissing('response_type')
  if (responseType !== 'code') throw responseTypeUnsupported(responseType)
  const challenge = challengeOf(parameters)
  if (challenge === null && platform === 'spa') throw challengeRequired()
  const scope = parameters.get('scope') ?? ''
  delegatedAccess(tenant, client, { scope, resources: parameters.getAll('resource').filter(resource => resource !== '') })
  return tenant.signIns.addCode({
    clientId: client.application.appId, platform, scope, redirectUri, challenge, nonce: parameters.get('nonce')
  })
}

/** RFC 7636 §4.2, §4.3: 43 to 128 characters; without a method it is plain. */
function challengeOf (parameters: URLSearchParams): CodeRecord['challenge'] {
  const value = parameters.get('code_challenge')
  const method = parameters.get('code_challenge_method') ?? 'plain'
  if (!value) return null
  if (method !== 'S256' && method !== 'plain') throw requestMalformed()
  if (!/^[\w.~-]{43,128}$/.test(value)) throw challengeInvalid()
  return { method, value }
}

/** The redirect URI with the outcome added; `state` comes back as it came. */
function returned (
  { redirectUri, mode, state }: ReturnAddress, outcome: () => Record<string, string>, request: FastifyRequest, simulation: Simulation
): string {
  const answer = new URLSearchParams(caught(outcome, request, simulation))
  if (state !== null) answer.set('state', state)
  const [base = ''] = redirectUri.split('#', 1)
  const separator = mode === 'fragment' ? '#' : base.includes('?') ? '&' : '?'
  return `${withPath(base)}${separator}${answer.toString()}`
}

function caught (outcome: () => Record<string, string>, request: FastifyRequest, simulation: Simulation): Record<string, string> {
  try {
    return outcome()
  } catch (error) {
    if (!(error instanceof AadstsError)) throw error
    const { requestId, clientRequestId } = exchangeOf(request)
    const ids = { date: new Date(simulation.now()), traceId: requestId, correlationId: clientRequestId }
    const { error_description: description } = error.toBody(ids)
    return { error: error.error, error_description: description, error_uri: error.uri }
  }
}

/** Entra: a URI without a path comes back with a slash. */
const withPath = (uri: string): string => uri.replace(/^([a-z][\w+.-]*:\/\/[^/?]+)(?=\?|$)/i, '$1/')
