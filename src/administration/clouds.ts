// Microsoft's clouds: which Graph belongs to which sign-in host, and who issues v1 tokens there.

export interface KnownCloud {
  /** The first is the usual one. */
  loginHosts: readonly [string, ...string[]]
  /** The first is the usual one. */
  graphHosts: readonly [string, ...string[]]
  /** Entra: issuer of v1 tokens. Two clouds share one. */
  v1IssuerHost: string
}

/** Entra: "National cloud deployments". DoD tenants share a login host with US government L4. */
export const knownClouds: readonly [KnownCloud, ...KnownCloud[]] = [
  { loginHosts: ['login.microsoftonline.com'], graphHosts: ['graph.microsoft.com'], v1IssuerHost: 'sts.windows.net' },
  { loginHosts: ['login.microsoftonline.us'], graphHosts: ['graph.microsoft.us', 'dod-graph.microsoft.us'], v1IssuerHost: 'sts.windows.net' },
  {
    loginHosts: ['login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'],
    graphHosts: ['microsoftgraph.chinacloudapi.cn'],
    v1IssuerHost: 'sts.chinacloudapi.cn'
  }
]

export function cloudOfLogin (host: string): KnownCloud | undefined {
  return knownClouds.find(({ loginHosts }) => loginHosts.includes(host))
}

/** Entra: issuer of the v1 tokens that a tenant's login host gives; a host of nobody we know is taken for the public cloud's. */
export function v1IssuerAt (authorityHost: string, tenantId: string): string {
  const { v1IssuerHost } = cloudOfLogin(new URL(authorityHost).host) ?? knownClouds[0]
  return `https://${v1IssuerHost}/${tenantId}/`
}

/** The clouds that an issuer may be of: two share that of v1 tokens, and of hosts that nobody knows there is none. */
export function cloudsOfIssuer (issuer: string): KnownCloud[] {
  const host = URL.canParse(issuer) ? new URL(issuer).host : ''
  return knownClouds.filter(({ loginHosts, v1IssuerHost }) => host === v1IssuerHost || loginHosts.includes(host))
}
