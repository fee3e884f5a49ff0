// Rules that need more than one setting, or more than a pattern. Each returns sentences; nothing throws.
import { baseUrlFault, databaseHost, isLoopbackHost } from './endpoints.ts'
import { keyListFaults } from './key-lists.ts'
import { foundations } from './sandbox-decision.ts'
import type { EnvironmentValues, SettingName } from './schema.ts'
import { trustedProxyFaults } from './trusted-proxies.ts'

/** What the rules look at. */
export interface Situation {
  /** Valid in shape; faulty ones are left out or at their default. */
  values: EnvironmentValues
  /** Given but faulty: already reported, so not missing. */
  unusable: ReadonlySet<SettingName>
  sandbox: boolean
}

export const credentialNames = ['AZURE_CLIENT_SECRET', 'AZURE_CLIENT_CERTIFICATE_PATH', 'AZURE_FEDERATED_TOKEN_FILE'] as const
const ownCredentialNames = ['AZURE_CLIENT_SECRET', 'AZURE_CLIENT_CERTIFICATE_PATH'] as const
const parts = [...foundations, 'PUBLIC_URL'] as const

// A call to Entra starts only with more than one attempt timeout plus this much of the lease left; a shorter lease would allow none.
const leaseMarginMs = 5000

const graphOfAuthority: Readonly<Record<string, string>> = {
  'login.microsoftonline.com': 'https://graph.microsoft.com',
  'login.microsoftonline.us': 'https://graph.microsoft.us',
  'login.partner.microsoftonline.cn': 'https://microsoftgraph.chinacloudapi.cn',
  'login.chinacloudapi.cn': 'https://microsoftgraph.chinacloudapi.cn'
}

/** Microsoft Graph of the cloud that an authority belongs to; undefined for an authority of no known cloud. */
export function graphOf (authorityHost: string): string | undefined {
  return URL.canParse(authorityHost) ? graphOfAuthority[new URL(authorityHost).hostname] : undefined
}

/** All faults between the settings. */
export function consistencyFaults (situation: Situation): string[] {
  const { values } = situation
  return [
    ...[missingParts, tenantFaults, addressFaults, listenerFaults, timeFaults, idleFaults].flatMap(rule => rule(situation)),
    ...keyListFaults(values),
    ...trustedProxyFaults(values)
  ]
}

// Konnect makes clients before their developers link them: a week is no sign that nobody wants one.
function idleFaults ({ values: { NEVER_LINKED_DAYS: days } }: Situation): string[] {
  return days === 0 || days >= 7 ? [] : ['NEVER_LINKED_DAYS is too short. Accepted: 0, or a whole number from 7 to 3650.']
}

function missingParts ({ values, unusable, sandbox }: Situation): string[] {
  if (sandbox) return []
  const present = (name: SettingName) => values[name] !== undefined || unusable.has(name)
  const missing = parts.filter(name => !present(name))
  if (missing.length === 0) return []
  const given = parts.filter(present)
  const why = given.length === 0 || values.NODE_ENV === 'production'
    ? 'NODE_ENV=production never is a sandbox, so nothing that is missing is replaced'
    : `half-configured: with ${given.join(', ')} set this is not a sandbox, so nothing that is missing is replaced`
  return missing.map(name => `${name} is missing (${why}). Accepted: ${acceptedParts[name]}.`)
}

const acceptedParts: Record<typeof parts[number], string> = {
  DATABASE_URL: 'postgresql://user:password@host:port/database',
  AZURE_TENANT_ID: 'the GUID of the Entra tenant',
  ENCRYPTION_KEYRING_FILE: 'the path of a keyring file',
  PUBLIC_URL: 'the https URL under which callers reach the broker'
}

function tenantFaults (situation: Situation): string[] {
  const { values, unusable, sandbox } = situation
  const present = (name: SettingName) => values[name] !== undefined || unusable.has(name)
  const members = (['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', ...credentialNames] as const).filter(present)
  // In a sandbox the simulator replaces a tenant of which nothing is given.
  if (sandbox && members.length === 0) return []
  // The platform may set its token file by itself; other providers use it then.
  const own = ownCredentialNames.filter(present)
  const credentials = own.length > 0 ? own : credentialNames.filter(present)
  const faults: string[] = []
  // Outside the sandbox missingParts() has said so.
  if (sandbox && !present('AZURE_TENANT_ID')) {
    faults.push(`AZURE_TENANT_ID is missing (half-configured: ${members.join(', ')} set). Accepted: all of the tenant's settings, or none in a sandbox.`)
  }
  if (!present('AZURE_CLIENT_ID')) faults.push('AZURE_CLIENT_ID is missing. Accepted: the GUID of the broker\'s app registration.')
  if (credentials.length === 0) faults.push(`The credential for Entra is missing. Accepted: exactly one of ${credentialNames.join(', ')}.`)
  if (credentials.length > 1) faults.push(`${credentials.join(', ')} are set together. Accepted: one of them.`)
  if (!present('GRAPH_BASE_URL') && isOfUnknownCloud(values.AZURE_AUTHORITY_HOST)) {
    faults.push('GRAPH_BASE_URL is missing, and AZURE_AUTHORITY_HOST is of no known cloud. Accepted: the URL of Microsoft Graph.')
  }
  return faults
}

// An authority that is no URL has a fault of its own.
function isOfUnknownCloud (authorityHost: string): boolean {
  return URL.canParse(authorityHost) && graphOf(authorityHost) === undefined
}

function addressFaults ({ values }: Situation): string[] {
  const faults = (['PUBLIC_URL', 'AZURE_AUTHORITY_HOST', 'GRAPH_BASE_URL'] as const).map(name => {
    const value = values[name]
    return value === undefined ? null : baseUrlFault(name, value)
  }).filter(fault => fault !== null)
  if (values.DATABASE_URL !== undefined && databaseHost(values.DATABASE_URL) === null) {
    faults.push(`DATABASE_URL is not a PostgreSQL URL with a host. Accepted: ${acceptedParts.DATABASE_URL}.`)
  }
  if (values.GRAPH_BASE_URL !== undefined && /\/(v\d+\.\d+|beta)\/*$/.test(values.GRAPH_BASE_URL)) {
    faults.push('GRAPH_BASE_URL ends with a version. Accepted: the URL without it.')
  }
  const collector = values.OTEL_EXPORTER_OTLP_ENDPOINT
  if (collector !== undefined && !/^https?:\/\//.test(collector)) faults.push('OTEL_EXPORTER_OTLP_ENDPOINT is not a URL. Accepted: http(s)://host[:port].')
  return faults
}

function listenerFaults ({ values, unusable, sandbox }: Situation): string[] {
  const faults: string[] = []
  const ports = (['PORT', 'OPERATIONS_PORT', ...(values.GATEWAY_PORT === undefined ? [] : ['GATEWAY_PORT' as const]), ...(sandbox ? ['SIMULATOR_PORT' as const] : [])] as const)
    .filter(name => values[name] !== 0 && !unusable.has(name))
  ports.forEach((name, index) => {
    const twin = ports.slice(0, index).find(other => values[other] === values[name])
    if (twin !== undefined) faults.push(`${name} is the same as ${twin}. Accepted: a port of its own.`)
  })
  const keyless = values.ADMIN_API_KEYS === undefined && !unusable.has('ADMIN_API_KEYS')
  if (!sandbox && keyless && !isLoopbackHost(values.OPERATIONS_HOST)) {
    faults.push('OPERATIONS_HOST is not loopback and there is no operator key. Accepted: a loopback address, or at least one key in ADMIN_API_KEYS.')
  }
  return faults
}

function timeFaults ({ values, unusable }: Situation): string[] {
  const tooShort = (name: TimeName, needs: TimeName, marginMs = 0) =>
    // A faulty value stands at its default here; comparing it would report nonsense.
    !unusable.has(name) && !unusable.has(needs) && values[name] < values[needs] + marginMs
      ? [`${name} is too short. Accepted: at least ${needs}${marginMs > 0 ? ` plus ${marginMs}` : ''}.`]
      : []
  return [
    ...tooShort('LEASE_MS', 'ATTEMPT_TIMEOUT_MS', leaseMarginMs + 1),
    ...tooShort('REQUEST_DEADLINE_MS', 'ATTEMPT_TIMEOUT_MS'),
    ...tooShort('REDELIVERY_WINDOW_MS', 'REQUEST_DEADLINE_MS'),
    ...tooShort('SWEEP_SECOND_LOOK_MS', 'SWEEP_FIRST_LOOK_MS')
  ]
}

type TimeName = Extract<SettingName, `${string}_MS`>
