// What a registered client and the gateway behind it do with Entra: get a token, check it.
import { createRemoteJWKSet, decodeJwt, jwtVerify, type JWTPayload } from 'jose'

export interface Tenant {
  authorityHost: string
  tenantId: string
}

export interface ClientCredentials {
  clientId: string
  clientSecret: string
}

export type TokenAnswer = { status: 200, token: string } | { status: number, error: string }

/** v1: the resource is named by `resource`, as Konnect's strategy sends it through token_post_args. Credentials as Basic. */
export async function requestTokenV1 (tenant: Tenant, client: ClientCredentials, resource: string): Promise<TokenAnswer> {
  return await requestToken(`${tenant.authorityHost}/${tenant.tenantId}/oauth2/token`, client, { resource })
}

/** v2: the resource is named by its `.default` scope. */
export async function requestTokenV2 (tenant: Tenant, client: ClientCredentials, resource: string): Promise<TokenAnswer> {
  return await requestToken(`${tenant.authorityHost}/${tenant.tenantId}/oauth2/v2.0/token`, client, { scope: `${resource}/.default` })
}

/** Discovery from the tenant, signature against its JWKS, issuer and expiry, as a gateway does it. Resolves to the claims. */
export async function verifyToken (tenant: Tenant, token: string, version: 1 | 2): Promise<JWTPayload> {
  const base = `${tenant.authorityHost}/${tenant.tenantId}${version === 2 ? '/v2.0' : ''}`
  const discovery = await (await fetch(`${base}/.well-known/openid-configuration`)).json() as { issuer: string, jwks_uri: string }
  const keys = createRemoteJWKSet(new URL(discovery.jwks_uri))
  const { payload } = await jwtVerify(token, keys, { issuer: discovery.issuer, algorithms: ['RS256'] })
  return payload
}

export const claimsOf = decodeJwt

async function requestToken (url: string, client: ClientCredentials, parameters: Record<string, string>): Promise<TokenAnswer> {
  const basic = Buffer.from(`${encodeURIComponent(client.clientId)}:${encodeURIComponent(client.clientSecret)}`).toString('base64')
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...parameters })
  })
  const body = await response.json() as { access_token?: string, error_description?: string }
  return response.status === 200 && body.access_token !== undefined
    ? { status: 200, token: body.access_token }
    : { status: response.status, error: body.error_description ?? 'no description' }
}
