// What an issuer of Entra says: the version of its tokens and the tenant. Clouds differ in the host only.

export interface EntraIssuer {
  version: 1 | 2
  /** GUID or domain name, in lower case. */
  tenant: string
}

const SECOND_VERSION = /^\/([^/]+)\/v2\.0$/
const FIRST_VERSION = /^\/([^/]+)$/
const DISCOVERY = /\/\.well-known\/openid-configuration$/
/** Entra: endpoints of any tenant; their documents name none. */
const NO_TENANT: ReadonlySet<string> = new Set(['common', 'organizations', 'consumers'])

/** Null: no URL, or not in one of Entra's two forms. With or without a last slash or the discovery document's path, as Kong takes it. */
export function readIssuer (text: string): EntraIssuer | null {
  if (!URL.canParse(text)) return null
  const path = new URL(text).pathname.replace(DISCOVERY, '').replace(/\/+$/, '')
  const [, second] = SECOND_VERSION.exec(path) ?? []
  const [, first] = FIRST_VERSION.exec(path) ?? []
  const tenant = (second ?? first)?.toLowerCase()
  return tenant === undefined ? null : { version: second === undefined ? 1 : 2, tenant }
}

export function namesNoTenant ({ tenant }: EntraIssuer): boolean {
  return NO_TENANT.has(tenant)
}
