// The settings as the rest of the broker sees them: typed, grouped, frozen. Read once, in the entry points; nobody else reads the environment.
import { resolve } from 'node:path'
import { consistencyFaults } from './consistency.ts'
import { deepFreeze } from './deep-freeze.ts'
import { group } from './grouping.ts'
import { isSandbox, replacementsFor, type GivenValues, type SandboxReplacements } from './sandbox-decision.ts'
import type { EnvironmentValues } from './schema.ts'
import { collectGiven } from './secret-files.ts'
import { checkShape } from './shape.ts'
import { unknownNameWarnings } from './unknown-names.ts'

export interface Listener {
  host: string
  /** 0: any free port. */
  port: number
}

export interface PublicListener extends Listener {
  /** Base of every URL handed out, without a trailing slash. Null only in a sandbox with PORT=0: known once it listens. */
  url: string | null
}

export interface GatewayListener extends Listener {
  /** GET /verify asks for a key of a gateway: whoever reaches it could try secrets. */
  needsKey: boolean
  /** Wrong secrets of one client that are looked at one by one; 0: all. */
  failuresPerMinute: number
}

/** How the broker proves itself to Entra. */
export type EntraCredential =
  | { kind: 'secret', secret: string }
  | { kind: 'certificate', path: string }
  | { kind: 'federated', tokenFile: string }

/** The tenant of the provider `default`. */
export interface EntraTenant {
  tenantId: string
  clientId: string
  credential: EntraCredential
  /** Without a trailing slash. */
  authorityHost: string
  /** Without version and trailing slash. */
  graphBaseUrl: string
}

export interface EntraSettings {
  /** Null exactly when the sandbox replaces it. */
  tenant: EntraTenant | null
  traffic: TrafficSettings
  /** The platform's token, for every provider that has a federated credential; null: there is none. */
  federatedTokenFile: string | null
}

export interface TrafficSettings {
  /** Graph writes of a tenant, over all replicas; 0: no limit. */
  writesPerSecond: number
  /** Writes that go through at once after a rest. */
  burst: number
  /** Calls of one replica to one tenant at once. */
  concurrency: number
}

/** Bootstrap callers. */
export interface CallerSettings {
  konnectApiKeys: readonly string[]
  adminApiKeys: readonly string[]
  gatewayApiKeys: readonly string[]
  initialAccessTokens: readonly string[]
}

/** Which Entra access tokens of services may register. */
export interface ServiceTokenSettings {
  /** Empty: the client id of the broker's application at each provider, bare and as `api://…`. */
  audiences: readonly string[]
  /** The app role they must carry. */
  role: string
}

/** Which Entra access tokens are those of operators. */
export interface OperatorTokenSettings {
  /** Empty: the broker's own client id, bare and as `api://…`. */
  audiences: readonly string[]
  /** Scopes by app role. */
  roles: Readonly<Record<string, readonly string[]>>
}

export interface Limits {
  requestDeadlineMs: number
  attemptTimeoutMs: number
  leaseMs: number
  resumeScanMs: number
  redeliveryWindowMs: number
  sweepIntervalMs: number
  /** When ended rows are looked at again, counted from their end. */
  sweepDelaysMs: readonly number[]
  supersededGraceMs: number
  maxSecretsPerClient: number
  /** Most clients that one run of the expiry disables, and most that it deletes; 0: none. */
  maxExpiredPerRun: number
  /** 0: this replica does not seal. */
  auditSealIntervalMs: number
}

/** What is believed and borne of requests. */
export interface RequestSettings {
  /** Addresses and networks. */
  trustedProxies: readonly string[]
  /** Of one source; 0: no limit. */
  authenticationFailuresPerMinute: number
}

export interface ReconciliationLimits {
  /** 0: this replica does not look by itself. */
  intervalMs: number
  minAgeMs: number
  secondLookMs: number
  /** 0: Verify clients are kept. */
  verificationHours: number
  /** 0: clients that were never linked are kept; else at least 7. */
  neverLinkedDays: number
  neverLinkedGraceDays: number
}

export interface SandboxSettings {
  /** Absolute. */
  dir: string
  simulatorPort: number
  /** The parts that are missing and have to be made. */
  replace: SandboxReplacements
}

export type RegistrationMode = 'open' | 'token' | 'disabled'
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

export interface Settings {
  publicListener: PublicListener
  operationsListener: Listener
  /** Null: there is none. */
  gatewayListener: GatewayListener | null
  requests: RequestSettings
  /** Null exactly when the sandbox replaces it. */
  database: { url: string } | null
  /** Null exactly when the sandbox replaces it. */
  keyringFile: string | null
  entra: EntraSettings
  callers: CallerSettings
  registrationMode: RegistrationMode
  serviceTokens: ServiceTokenSettings
  operatorTokens: OperatorTokenSettings
  limits: Limits
  reconciliation: ReconciliationLimits
  /** 0: at once. */
  purgeAfterHours: number
  secretLifetimeDays: { konnect: number, register: number }
  /** Prove a new client's secret at the token endpoint before answering. */
  probeNewSecrets: boolean
  logLevel: LogLevel
  telemetry: { otlpEndpoint: string } | null
  /** Null: not a sandbox, nothing is missing. */
  sandbox: SandboxSettings | null
  /** For the log: names that look like ours and are not known, values that have no effect. Never holds a value. */
  warnings: readonly string[]
}

/** All faults of the settings at once. No fault shows the value of a secret. */
export class SettingsError extends Error {
  readonly faults: readonly string[]

  constructor (faults: readonly string[]) {
    super(`The settings have ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map(fault => `  - ${fault}`).join('\n')}`)
    this.name = 'SettingsError'
    this.faults = faults
  }
}

export interface ReadOptions {
  /** What relative paths of the sandbox start from; default: the working directory. */
  workingDirectory?: string
}

/**
 * Reads all settings.
 *
 * @param environment usually process.env
 * @returns deep-frozen settings; `warnings` are for the log
 * @throws {SettingsError} that names every fault at once and shows no secret
 */
export function readSettings (environment: NodeJS.ProcessEnv, options: ReadOptions = {}): Settings {
  const given = collectGiven(environment)
  const { values, faulty, faults } = checkShape(given.values)
  const unusable = new Set([...given.unusable, ...faulty])
  // A faulty foundation still says that this is meant to be an installation.
  const sandbox = isSandbox({ ...Object.fromEntries([...unusable].map(name => [name, ''])), ...given.values })
  const allFaults = [...given.faults, ...faults, ...consistencyFaults({ values, unusable, sandbox })]
  if (allFaults.length > 0) throw new SettingsError(allFaults)
  const warnings = [...unknownNameWarnings(environment), ...(sandbox ? ignoredNameWarnings(given.values) : [])]
  return deepFreeze(group(values, sandbox ? sandboxSettings(values, given.values, options) : null, warnings))
}

// A sandbox without a tenant brings its own endpoints along.
function ignoredNameWarnings (given: GivenValues): string[] {
  if (given.AZURE_TENANT_ID !== undefined) return []
  return (['AZURE_AUTHORITY_HOST', 'GRAPH_BASE_URL'] as const)
    .filter(name => given[name] !== undefined)
    .map(name => `${name} has no effect without AZURE_TENANT_ID: the sandbox's simulator stands in for Entra.`)
}

function sandboxSettings (values: EnvironmentValues, given: GivenValues, options: ReadOptions): SandboxSettings {
  return {
    dir: resolve(options.workingDirectory ?? process.cwd(), values.SANDBOX_DIR),
    simulatorPort: values.SIMULATOR_PORT,
    replace: replacementsFor(given)
  }
}
