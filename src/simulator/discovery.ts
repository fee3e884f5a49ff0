// Discovery documents and keys. Issuers are Entra's public ones; everything that is to be called is here.
import type { FastifyInstance } from 'fastify'
import { AadstsError, tenantNotFound, transientError } from './aadsts-errors.ts'
import type { Simulation } from './tenants.ts'
import { v1Issuer, v2Issuer } from './tokens.ts'

interface TenantKeyed { Params: { tenant: string } }

export function discoveryRoutes (app: FastifyInstance, simulation: Simulation): void {
  app.setErrorHandler((error, _request, reply) => {
    const fault = error instanceof AadstsError ? error : transientError()
    return reply.code(fault.status).send(fault.toBody({ date: new Date(simulation.now()), traceId: '', correlationId: '' }))
  })

  const tenantIdOf = (tenant: string): string => {
    const known = simulation.tenants.get(tenant.toLowerCase())
    if (known === undefined) throw tenantNotFound(tenant)
    return known.id
  }

  app.get<TenantKeyed>('/:tenant/.well-known/openid-configuration', ({ params }) => {
    const id = tenantIdOf(params.tenant)
    const base = `${simulation.url()}/${id}`
    return metadata(v1Issuer(id), `${base}/oauth2/token`, `${base}/oauth2/authorize`, `${base}/discovery/keys`)
  })
  app.get<TenantKeyed>('/:tenant/v2.0/.well-known/openid-configuration', ({ params }) => {
    const id = tenantIdOf(params.tenant)
    const base = `${simulation.url()}/${id}`
    return metadata(v2Issuer(id), `${base}/oauth2/v2.0/token`, `${base}/oauth2/v2.0/authorize`, `${base}/discovery/v2.0/keys`)
  })
  for (const path of ['/:tenant/discovery/keys', '/:tenant/discovery/v2.0/keys']) {
    app.get<TenantKeyed>(path, ({ params }) => {
      if (params.tenant !== 'common') tenantIdOf(params.tenant)
      return simulation.signer.jwks
    })
  }

  // MSAL asks this before it trusts an authority it does not know.
  app.get('/common/discovery/instance', () => {
    const [tenantId = ''] = simulation.tenants.keys()
    const host = new URL(simulation.url()).host
    return {
      tenant_discovery_endpoint: `${simulation.url()}/${tenantId}/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host, 'login.microsoftonline.com', 'login.windows.net', 'sts.windows.net'] }]
    }
  })
}

const metadata = (issuer: string, tokenEndpoint: string, authorizationEndpoint: string, jwksUri: string) => ({
  token_endpoint: tokenEndpoint,
  token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
  jwks_uri: jwksUri,
  response_modes_supported: ['query', 'fragment', 'form_post'],
  subject_types_supported: ['pairwise'],
  id_token_signing_alg_values_supported: ['RS256'],
  response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
  scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
  issuer,
  authorization_endpoint: authorizationEndpoint,
  claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nonce', 'tid', 'ver'],
  tenant_region_scope: null,
  cloud_instance_name: 'microsoftonline.com',
  msgraph_host: 'graph.microsoft.com'
})
