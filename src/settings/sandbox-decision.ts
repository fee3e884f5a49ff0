// Sandbox or not. A sandbox replaces what is missing with parts of its own; anything that points at a real system must never get that.
import { databaseHost, isLoopbackHost, urlHost } from './endpoints.ts'
import type { SettingName } from './schema.ts'

export interface SandboxReplacements {
  database: boolean
  tenant: boolean
  keyring: boolean
  konnectKeys: boolean
  adminKeys: boolean
  initialAccessTokens: boolean
}

export type GivenValues = Readonly<Partial<Record<SettingName, string>>>

/** The settings of which any one says that this is meant to be an installation. */
export const foundations = ['DATABASE_URL', 'AZURE_TENANT_ID', 'ENCRYPTION_KEYRING_FILE'] as const

/**
 * True when missing parts are to be replaced: no foundation is set, or every endpoint that is set is loopback.
 * Production never is a sandbox.
 *
 * @param given the settings that were given, as text; those from NAME_FILE included, empty ones left out
 */
export function isSandbox (given: GivenValues): boolean {
  if (given.NODE_ENV === 'production') return false
  if (foundations.every(name => given[name] === undefined)) return true
  const hosts = endpointHosts(given)
  // A keyring alone has no endpoint at all: that is a half-configured installation.
  return hosts.length > 0 && hosts.every(isLoopbackHost)
}

function endpointHosts (given: GivenValues): string[] {
  const hosts: Array<string | null> = []
  if (given.DATABASE_URL !== undefined) hosts.push(databaseHost(given.DATABASE_URL))
  if (given.PUBLIC_URL !== undefined) hosts.push(urlHost(given.PUBLIC_URL))
  if (given.GRAPH_BASE_URL !== undefined) hosts.push(urlHost(given.GRAPH_BASE_URL))
  if (given.AZURE_AUTHORITY_HOST !== undefined) hosts.push(urlHost(given.AZURE_AUTHORITY_HOST))
  // A tenant without an authority is a tenant of the public cloud.
  else if (given.AZURE_TENANT_ID !== undefined) hosts.push('login.microsoftonline.com')
  return hosts.map(host => host ?? 'unreadable.invalid')
}

/** Which parts a sandbox has to make. */
export function replacementsFor (given: GivenValues): SandboxReplacements {
  const missing = (name: SettingName) => given[name] === undefined
  return {
    database: missing('DATABASE_URL'),
    tenant: missing('AZURE_TENANT_ID'),
    keyring: missing('ENCRYPTION_KEYRING_FILE'),
    konnectKeys: missing('KONNECT_API_KEYS'),
    adminKeys: missing('ADMIN_API_KEYS'),
    initialAccessTokens: missing('INITIAL_ACCESS_TOKENS')
  }
}
