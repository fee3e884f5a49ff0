// Microsoft's clouds: which Graph belongs to which login host, what scope the broker's token needs, and where plain http is tolerated.
import { knownClouds } from '../administration/clouds.ts'

const graphHostByLoginHost = new Map(knownClouds.flatMap(({ loginHosts, graphHosts }) => loginHosts.map(login => [login, graphHosts[0]] as const)))
const graphHosts = new Set(knownClouds.flatMap(cloud => cloud.graphHosts))
const versionSegment = /\/(v\d+\.\d+|beta)$/

export interface Cloud {
  /** Graph's address without a version. */
  graphBaseUrl: string
  graphVersion: string
  /** What the broker's own token is for. */
  scope: string
  /** `/<tenant>/oauth2/v2.0/token` at the login host. */
  tokenEndpoint: string
}

/**
 * Works out the addresses of one tenant.
 * Throws TypeError for a URL that is unusable, for http outside loopback, and for a login host whose Graph is unknown.
 */
export function cloudOf (authorityHost: string, tenantId: string, graphBaseUrl?: string): Cloud {
  if (!/^[\w.-]+$/.test(tenantId)) throw new TypeError('the tenant is neither a GUID nor a domain name')
  const authority = secureUrl(authorityHost)
  const cloudGraphHost = graphHostByLoginHost.get(authority.hostname)
  if (graphBaseUrl === undefined && cloudGraphHost === undefined) {
    throw new TypeError(`the Graph address of the cloud at ${authority.host} is not known: set GRAPH_BASE_URL`)
  }
  const graph = secureUrl(graphBaseUrl ?? `https://${cloudGraphHost}`)
  const path = graph.pathname.replace(/\/+$/, '')
  const scopeHost = graphHosts.has(graph.hostname) ? graph.hostname : cloudGraphHost ?? 'graph.microsoft.com'
  return {
    graphBaseUrl: graph.origin + path.replace(versionSegment, ''),
    graphVersion: versionSegment.exec(path)?.[1] ?? 'v1.0',
    scope: `https://${scopeHost}/.default`,
    tokenEndpoint: `${authority.origin}${authority.pathname.replace(/\/+$/, '')}/${tenantId}/oauth2/v2.0/token`
  }
}

/** A tenant's endpoints at its login host: what a client is told, and where the broker learns what signs the tenant's tokens. */
export interface TenantEndpoints {
  /** Of v2 tokens, as the cloud's public documents say it. */
  issuer: string
  authorizationEndpoint: string
  tokenEndpoint: string
  deviceAuthorizationEndpoint: string
  endSessionEndpoint: string
  userinfoEndpoint: string
  jwksUri: string
  /** The discovery documents, of v1 tokens and of v2 tokens: the issuers stand in them. */
  discovery: readonly [v1: string, v2: string]
}

/** Throws TypeError as `cloudOf`. */
export function tenantEndpointsOf (authorityHost: string, tenantId: string, graphBaseUrl?: string): TenantEndpoints {
  const { tokenEndpoint, graphBaseUrl: graph } = cloudOf(authorityHost, tenantId, graphBaseUrl)
  const tenant = tokenEndpoint.slice(0, -'/oauth2/v2.0/token'.length)
  return {
    issuer: `${tenant}/v2.0`,
    authorizationEndpoint: `${tenant}/oauth2/v2.0/authorize`,
    tokenEndpoint,
    deviceAuthorizationEndpoint: `${tenant}/oauth2/v2.0/devicecode`,
    endSessionEndpoint: `${tenant}/oauth2/v2.0/logout`,
    userinfoEndpoint: `${graph}/oidc/userinfo`,
    jwksUri: `${tenant}/discovery/v2.0/keys`,
    discovery: [`${tenant}/.well-known/openid-configuration`, `${tenant}/v2.0/.well-known/openid-configuration`]
  }
}

/** A secret travels to these addresses: https, or http that does not leave the machine. */
function secureUrl (text: string): URL {
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') throw new TypeError('an address with a user name or password is not accepted')
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return url
  throw new TypeError(`${url.origin} is not https`)
}

function isLoopback (hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}
