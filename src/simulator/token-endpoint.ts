// The token endpoints: /<tenant>/oauth2/token (v1, `resource`) and /<tenant>/oauth2/v2.0/token (v2, `scope`).
// Which grants there are stands in one table, so that another one is one entry more.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  AadstsError, methodNotAccepted, parameterMissing, resourceNotFound, roleMissing, scopeMalformed, scopeOfSeveralResources, tenantNotFound,
  transientError, unsupportedGrantType
} from './aadsts-errors.ts'
import { authenticateClient } from './client-authentication.ts'
import type { AuthenticatedClient, Form } from './client-authentication.ts'
import { authorizationCode, refreshToken } from './code-grants.ts'
import { exchangeOf } from './exchange.ts'
import { formatOf } from './grant.ts'
import type { Grant, GrantCall } from './grant.ts'
import type { PrincipalRecord } from './records.ts'
import type { Simulation } from './tenants.ts'
import { aadGraphAppId, graphAppId } from './tokens.ts'

const grants = new Map<string, Grant>([
  ['client_credentials', clientCredentials],
  ['authorization_code', authorizationCode],
  ['refresh_token', refreshToken]
])

export function tokenEndpoints (app: FastifyInstance, simulation: Simulation): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, text, done) => {
    const parameters = new URLSearchParams(String(text))
    // RFC 8707 §2: `resource` alone may be sent more than once; a URI has no space in it.
    const resource = parameters.getAll('resource').join(' ')
    done(null, { ...Object.fromEntries(parameters), ...(resource === '' ? {} : { resource }) })
  })
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume().on('end', () => done(null, {}))
  })
  app.setErrorHandler((error, request, reply) => sendIdentityError(simulation, error, request, reply))

  for (const [path, endpoint] of [['/:tenant/oauth2/token', 'v1'], ['/:tenant/oauth2/v2.0/token', 'v2']] as const) {
    app.post<{ Params: { tenant: string } }>(path, async (request, reply) => {
      reply.headers({ 'cache-control': 'no-store, no-cache', pragma: 'no-cache', 'x-ms-request-id': exchangeOf(request).requestId })
      const tenant = simulation.tenants.get(request.params.tenant.toLowerCase())
      if (tenant === undefined) throw tenantNotFound(request.params.tenant)
      const form = (request.body ?? {}) as Form
      const grantType = form['grant_type']
      if (!grantType) throw parameterMissing('grant_type')
      const grant = grants.get(grantType)
      if (grant === undefined) throw unsupportedGrantType(grantType)
      return grant({
        simulation,
        tenant,
        endpoint,
        form,
        resources: (form['resource'] ?? '').split(' ').filter(resource => resource !== ''),
        authorization: request.headers.authorization,
        origin: request.headers.origin,
        allowOrigin: () => reply.headers({ 'access-control-allow-origin': request.headers.origin ?? '*', vary: 'Origin' })
      })
    })

    app.get(path, async request => { throw methodNotAccepted(request.method) })

    // A browser asks before a POST that has headers of its own. Entra: the answer is the same for every client.
    app.options(path, (request, reply) => reply.code(204).headers({
      'access-control-allow-origin': request.headers.origin ?? '*',
      'access-control-allow-methods': 'POST, OPTIONS',
      'access-control-allow-headers': request.headers['access-control-request-headers'] ?? 'content-type',
      'access-control-max-age': '86400',
      vary: 'Origin'
    }).send())
  }
}

/** RFC 6749 §4.4, as Entra answers it. */
async function clientCredentials ({ simulation, tenant, endpoint, form, authorization }: GrantCall): Promise<object> {
  const client = await authenticateClient(simulation, tenant, form, authorization)
  const named = endpoint === 'v1' ? resourceOfV1(form) : resourceOfScope(form)
  const resource = tenant.directory.principalByName(named)
  if (resource === undefined) throw resourceNotFound(named, tenant.id)
  const issued = await simulation.signer.issue({
    tenantId: tenant.id,
    ...formatOf(tenant, resource, named),
    isForGraph: resource.appId === graphAppId,
    clientId: client.application.appId,
    principalId: client.principal.id,
    proof: client.proof,
    roles: rolesOn(client, resource),
    onBehalfOf: null,
    nowMs: simulation.now()
  })
  const { token, expiresIn, expiresAt, notBefore } = issued
  if (endpoint === 'v2') return { token_type: 'Bearer', expires_in: expiresIn, ext_expires_in: expiresIn, access_token: token }
  return {
    token_type: 'Bearer',
    expires_in: String(expiresIn),
    ext_expires_in: String(expiresIn),
    expires_on: String(expiresAt),
    not_before: String(notBefore),
    resource: named,
    access_token: token
  }
}

/** Entra: the v1 endpoint ignores `scope`; without `resource` the token is for the old AAD Graph. */
const resourceOfV1 = (form: Form): string => form['resource'] || aadGraphAppId

/** Entra: client credentials take the scope of one resource, `<App ID URI>/.default`. */
function resourceOfScope (form: Form): string {
  const scope = form['scope']
  if (!scope) throw parameterMissing('scope')
  const scopes = scope.split(' ').filter(one => one !== '')
  if (!scopes.every(one => one.endsWith('/.default'))) throw scopeMalformed(scope)
  const [only, ...others] = scopes
  if (only === undefined || others.length > 0) throw scopeOfSeveralResources(scope)
  return only.slice(0, -'/.default'.length)
}

function rolesOn ({ application, principal }: AuthenticatedClient, resource: PrincipalRecord): string[] {
  const assigned = principal.roleAssignments.filter(({ resourceAppId }) => resourceAppId === resource.appId)
  if (assigned.length === 0 && resource.properties.appRoleAssignmentRequired === true) {
    throw roleMissing(application.appId, resource.appId, application.properties.displayName ?? '')
  }
  return assigned.map(({ role }) => role).filter(role => role !== '')
}

/** Answers any error of an identity endpoint in Entra's form. */
export function sendIdentityError (simulation: Simulation, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { requestId, clientRequestId } = exchangeOf(request)
  const fault = error instanceof AadstsError ? error : transientError()
  const date = new Date(simulation.now())
  return reply.code(fault.status).type('application/json; charset=utf-8').send(fault.toBody({ date, traceId: requestId, correlationId: clientRequestId }))
}
