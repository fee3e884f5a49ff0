// From flat values to the groups the broker works with.
import { concealedCallers, concealedCredential, concealedDatabase } from './concealed.ts'
import { graphOf } from './consistency.ts'
import { isLoopbackHost, withoutTrailingSlash } from './endpoints.ts'
import { splitList } from './key-lists.ts'
import type { EnvironmentValues } from './schema.ts'
import type { EntraCredential, EntraTenant, OperatorTokenSettings, SandboxSettings, Settings } from './settings.ts'

/** Puts checked values into their groups. */
export function group (values: EnvironmentValues, sandbox: SandboxSettings | null, warnings: string[]): Settings {
  return {
    publicListener: {
      host: values.HOST ?? (sandbox === null ? '0.0.0.0' : '127.0.0.1'),
      port: values.PORT,
      url: values.PUBLIC_URL !== undefined ? withoutTrailingSlash(values.PUBLIC_URL) : localUrl(values.PORT)
    },
    operationsListener: { host: values.OPERATIONS_HOST, port: values.OPERATIONS_PORT },
    gatewayListener: gatewayOf(values),
    requests: { trustedProxies: splitList(values.TRUSTED_PROXIES), authenticationFailuresPerMinute: values.AUTHENTICATION_FAILURES_PER_MINUTE },
    database: values.DATABASE_URL === undefined ? null : concealedDatabase({ url: values.DATABASE_URL }),
    keyringFile: values.ENCRYPTION_KEYRING_FILE ?? null,
    entra: {
      tenant: tenantOf(values),
      traffic: { writesPerSecond: values.GRAPH_WRITES_PER_SECOND, burst: values.GRAPH_WRITE_BURST, concurrency: values.GRAPH_CONCURRENCY },
      federatedTokenFile: values.AZURE_FEDERATED_TOKEN_FILE ?? null
    },
    callers: concealedCallers({
      konnectApiKeys: splitList(values.KONNECT_API_KEYS),
      adminApiKeys: splitList(values.ADMIN_API_KEYS),
      gatewayApiKeys: splitList(values.GATEWAY_API_KEYS),
      initialAccessTokens: splitList(values.INITIAL_ACCESS_TOKENS)
    }),
    registrationMode: values.REGISTRATION_MODE,
    serviceTokens: { audiences: splitList(values.REGISTER_TOKEN_AUDIENCE), role: values.REGISTER_TOKEN_ROLE },
    operatorTokens: { audiences: splitList(values.OPERATOR_TOKEN_AUDIENCE), roles: rolesOf(values.OPERATOR_TOKEN_ROLES) },
    limits: limitsOf(values),
    reconciliation: {
      intervalMs: values.RECONCILE_INTERVAL_MS,
      minAgeMs: values.RECONCILE_MIN_AGE_MS,
      secondLookMs: values.RECONCILE_SECOND_LOOK_MS,
      verificationHours: values.VERIFICATION_CLIENT_HOURS,
      neverLinkedDays: values.NEVER_LINKED_DAYS,
      neverLinkedGraceDays: values.NEVER_LINKED_GRACE_DAYS
    },
    purgeAfterHours: values.PURGE_AFTER_HOURS,
    secretLifetimeDays: { konnect: values.KONNECT_SECRET_LIFETIME_DAYS, register: values.REGISTER_SECRET_LIFETIME_DAYS },
    probeNewSecrets: values.PROBE_NEW_SECRETS,
    logLevel: values.LOG_LEVEL,
    telemetry: values.OTEL_EXPORTER_OTLP_ENDPOINT === undefined ? null : { otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT },
    sandbox,
    warnings
  }
}

function gatewayOf (values: EnvironmentValues): Settings['gatewayListener'] {
  const { GATEWAY_PORT: port, GATEWAY_HOST: host, GATEWAY_FAILURES_PER_MINUTE: failuresPerMinute } = values
  return port === undefined ? null : { host, port, needsKey: !isLoopbackHost(host), failuresPerMinute }
}

/** Of a role that is named twice the scopes of both. */
function rolesOf (text: string): OperatorTokenSettings['roles'] {
  const roles: Record<string, string[]> = {}
  for (const entry of splitList(text)) {
    const [role = '', scopes = ''] = entry.split('=')
    roles[role] = [...new Set([...roles[role] ?? [], ...scopes.split('+')])]
  }
  return roles
}

function localUrl (port: number): string | null {
  return port === 0 ? null : `http://localhost:${port}`
}

function limitsOf (values: EnvironmentValues): Settings['limits'] {
  return {
    requestDeadlineMs: values.REQUEST_DEADLINE_MS,
    attemptTimeoutMs: values.ATTEMPT_TIMEOUT_MS,
    leaseMs: values.LEASE_MS,
    resumeScanMs: values.RESUME_SCAN_MS,
    redeliveryWindowMs: values.REDELIVERY_WINDOW_MS,
    sweepIntervalMs: values.SWEEP_INTERVAL_MS,
    sweepDelaysMs: [values.SWEEP_FIRST_LOOK_MS, values.SWEEP_SECOND_LOOK_MS],
    supersededGraceMs: values.SUPERSEDED_GRACE_MS,
    maxSecretsPerClient: values.MAX_SECRETS_PER_CLIENT,
    maxExpiredPerRun: values.EXPIRY_MAX_PER_RUN,
    auditSealIntervalMs: values.AUDIT_SEAL_INTERVAL_MS
  }
}

/** The environment's tenant; null when the settings have none. */
export function tenantOf (values: EnvironmentValues): EntraTenant | null {
  const { AZURE_TENANT_ID: tenantId, AZURE_CLIENT_ID: clientId, AZURE_AUTHORITY_HOST: authorityHost } = values
  const credential = credentialOf(values)
  const graphBaseUrl = values.GRAPH_BASE_URL ?? graphOf(authorityHost)
  // Either all of them are there or none: consistency.ts has seen to that.
  if (tenantId === undefined || clientId === undefined || credential === null || graphBaseUrl === undefined) return null
  return {
    tenantId,
    clientId,
    credential,
    authorityHost: withoutTrailingSlash(authorityHost),
    graphBaseUrl: withoutTrailingSlash(graphBaseUrl)
  }
}

function credentialOf (values: EnvironmentValues): EntraCredential | null {
  if (values.AZURE_CLIENT_SECRET !== undefined) return concealedCredential({ kind: 'secret', secret: values.AZURE_CLIENT_SECRET })
  if (values.AZURE_CLIENT_CERTIFICATE_PATH !== undefined) return { kind: 'certificate', path: values.AZURE_CLIENT_CERTIFICATE_PATH }
  if (values.AZURE_FEDERATED_TOKEN_FILE !== undefined) return { kind: 'federated', tokenFile: values.AZURE_FEDERATED_TOKEN_FILE }
  return null
}
