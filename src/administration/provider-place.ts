// Where a provider is: its issuer names the tenant and the cloud. Secrets and tokens go to these addresses, so only known ones are taken:
// Microsoft's, the environment's, and what does not leave the machine.
import { cloudOfLogin, knownClouds } from './clouds.ts'
import { AdministrationError } from './errors.ts'
import type { ProviderPlace } from './provider-records.ts'

/** The environment's own addresses, without a trailing slash. */
export interface KnownAddresses {
  authorityHost: string
  graphBaseUrl: string
}

export interface GivenPlace {
  issuer: string
  /** Null: what the issuer says. */
  authorityHost: string | null
  /** Null: of the cloud. */
  graphBaseUrl: string | null
}

const TENANT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const ACCEPTED = 'Accepted: https://sts.windows.net/<tenant id>/, https://login.microsoftonline.com/<tenant id>/v2.0, and the same at the hosts of the US and China clouds.'
const publicLogin = `https://${knownClouds[0].loginHosts[0]}`

/** @param environment null: its addresses are not known here. @throws AdministrationError that names the member at fault */
export function placeOf (given: GivenPlace, environment: KnownAddresses | null): ProviderPlace {
  const { url, tenantId, isV2 } = readIssuer(given.issuer)
  const isV1Host = knownClouds.some(({ v1IssuerHost }) => v1IssuerHost === url.host)
  if (!isV1Host && !isV2) throw invalid(`The issuer is neither of v1 nor of v2 tokens: it does not end with /v2.0. ${ACCEPTED}`, 'issuer')
  if (isV1Host && isV2) throw invalid(`The issuer of ${url.host} has no version in its path. ${ACCEPTED}`, 'issuer')
  const authorityHost = given.authorityHost === null ? authorityOf(url, isV1Host, environment) : baseOf(given.authorityHost, 'authority_host')
  if (!isV1Host && authorityHost !== url.origin) {
    throw invalid(`The issuer is at ${url.origin}, which is not the sign-in host ${authorityHost}. ${ACCEPTED}`, given.authorityHost === null ? 'issuer' : 'authority_host')
  }
  checkAuthority(authorityHost, environment, given.authorityHost === null ? 'issuer' : 'authority_host')
  const issuer = `${url.origin}/${tenantId}${isV1Host ? '/' : '/v2.0'}`
  return { issuer, tenantId, authorityHost, graphBaseUrl: graphOf(given.graphBaseUrl, authorityHost, environment) }
}

/** Whether tokens of this issuer are v2 tokens. */
export function isV2Issuer (issuer: string): boolean {
  return issuer.endsWith('/v2.0')
}

function readIssuer (issuer: string): { url: URL, tenantId: string, isV2: boolean } {
  const url = URL.canParse(issuer) ? new URL(issuer) : null
  if (url === null || !isSecure(url) || url.username !== '' || url.password !== '' || /[?#]/.test(issuer)) {
    throw invalid(`The issuer is not an https URL of Entra ID. ${ACCEPTED}`, 'issuer')
  }
  const [, tenant = '', version] = /^\/([^/]+)(\/v2\.0)?\/?$/.exec(url.pathname) ?? []
  if (tenant === '') throw invalid(`The issuer names no tenant. ${ACCEPTED}`, 'issuer')
  if (!TENANT.test(tenant)) throw invalid(`The issuer names the tenant [${tenant.slice(0, 80)}], which is not the GUID of one. ${ACCEPTED}`, 'issuer')
  return { url, tenantId: tenant.toLowerCase(), isV2: version !== undefined }
}

/** Entra: the v1 issuer names no sign-in host, and two clouds share one. */
function authorityOf (url: URL, isV1Host: boolean, environment: KnownAddresses | null): string {
  if (!isV1Host) return url.origin
  if (environment !== null) {
    const cloud = cloudOfLogin(new URL(environment.authorityHost).host)
    if (cloud === undefined || cloud.v1IssuerHost === url.host) return environment.authorityHost
  }
  const cloud = knownClouds.find(({ v1IssuerHost }) => v1IssuerHost === url.host)
  return cloud === undefined ? publicLogin : `https://${cloud.loginHosts[0]}`
}

function checkAuthority (authorityHost: string, environment: KnownAddresses | null, field: string): void {
  const { host, hostname, protocol, pathname } = new URL(authorityHost)
  if (authorityHost === environment?.authorityHost || isLoopback(hostname)) return
  if (protocol === 'https:' && pathname === '/' && cloudOfLogin(host) !== undefined) return
  const known = knownClouds.flatMap(({ loginHosts }) => loginHosts).join(', ')
  throw invalid(`[${host}] is not a sign-in host of Entra ID. Accepted: ${known}, the host of AZURE_AUTHORITY_HOST, and loopback addresses.`, field)
}

function graphOf (given: string | null, authorityHost: string, environment: KnownAddresses | null): string {
  const { host, hostname } = new URL(authorityHost)
  const isOfEnvironment = authorityHost === environment?.authorityHost
  const known = (cloudOfLogin(host)?.graphHosts ?? []).map(graph => `https://${graph}`)
  if (given === null) {
    if (isOfEnvironment) return environment.graphBaseUrl
    return known[0] ?? authorityHost
  }
  const graph = baseOf(given, 'graph_base_url')
  if (known.includes(graph) || (isOfEnvironment && graph === environment.graphBaseUrl)) return graph
  if (isLoopback(hostname) && isLoopback(new URL(graph).hostname)) return graph
  throw invalid(`[${graph}] is not Microsoft Graph of the cloud at ${host}. Accepted: ${known.join(', ') || 'a loopback address'}, or leave it out.`, 'graph_base_url')
}

/** Without a trailing slash. */
function baseOf (text: string, field: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !isSecure(url) || url.username !== '' || url.password !== '' || /[?#]/.test(text)) {
    throw invalid('Not an https address. Accepted: https://host; http only for loopback.', field)
  }
  return url.href.replace(/\/+$/, '')
}

function isSecure ({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}

function isLoopback (hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

function invalid (message: string, field: string): AdministrationError {
  return new AdministrationError(message, 'invalid', field)
}
