// Every setting: its name, shape, default and what it is for, in one place. Validation, types, faults and the reference table come from here.
import { Type, type Static, type TEnum, type TSchemaOptions } from 'typebox'

/** Annotations of ours. `x-secret`: also read from NAME_FILE, never shown. `x-default`: a default that depends on other settings, in words. */
export const annotations = ['x-secret', 'x-accepts', 'x-default'] as const

type About = TSchemaOptions & { description: string, 'x-accepts'?: string, 'x-default'?: string, 'x-secret'?: true }

const text = (about: About) => Type.Optional(Type.String(about))

const secret = (about: About) => text({ ...about, 'x-secret': true })

const port = (fallback: number, description: string) => Type.Integer({
  minimum: 0, maximum: 65535, default: fallback, description, 'x-accepts': 'a port number from 0 to 65535'
})

const whole = (minimum: number, maximum: number, fallback: number, description: string) => Type.Integer({
  minimum, maximum, default: fallback, description, 'x-accepts': `a whole number from ${minimum} to ${maximum}`
})

const oneOf = <Name extends string>(names: readonly Name[], fallback: NoInfer<Name>, description: string): TEnum<Name[]> =>
  Type.Enum([...names], { default: fallback, description, 'x-accepts': `one of ${names.join(', ')}` })

const guid = (description: string) => text({
  pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
  description,
  'x-accepts': 'a GUID as the Entra portal shows it',
  'x-default': 'sandbox: the simulator\'s'
})

const minuteMs = 60_000
const hourMs = 60 * minuteMs

const ROLE = '[^\\s,=]{1,120}=(register|read|rotate|delete|admin|audit)(\\+(register|read|rotate|delete|admin|audit))*'
const ROLE_LIST = `^\\s*${ROLE}(\\s*,\\s*${ROLE})*\\s*$`

export const environmentSchema = Type.Object({
  HOST: text({ description: 'Address the public listener binds to.', 'x-default': '0.0.0.0; sandbox: 127.0.0.1' }),
  PORT: port(3000, 'Port of the public listener; 0 takes a free one.'),
  PUBLIC_URL: text({ description: 'Base of every URL the broker hands out.', 'x-default': 'sandbox: `http://localhost:<PORT>`' }),
  OPERATIONS_HOST: Type.String({ default: '127.0.0.1', description: 'Address the operations listener binds to.' }),
  OPERATIONS_PORT: port(3001, 'Port of the operations listener; 0 takes a free one.'),

  GATEWAY_HOST: Type.String({ default: '127.0.0.1', description: 'Address the gateway listener binds to. Beyond loopback `/verify` asks for a key of a gateway.' }),
  GATEWAY_PORT: Type.Optional(Type.Integer({
    minimum: 0,
    maximum: 65535,
    description: 'Port of the listener that gateways ask about clients; 0 takes a free one.',
    'x-accepts': 'a port number from 0 to 65535',
    'x-default': 'there is no such listener'
  })),

  TRUSTED_PROXIES: text({
    description: 'Proxies before the listeners, separated by commas: from these alone X-Forwarded-For is believed.',
    'x-accepts': 'a comma list of addresses and networks (CIDR)',
    'x-default': 'none: the other end of the connection is the caller'
  }),
  AUTHENTICATION_FAILURES_PER_MINUTE: whole(0, 1_000, 30,
    'Wrong keys and tokens of one source that are answered with 401; further ones are 429. A good one is always served. 0 switches it off.'),

  GATEWAY_FAILURES_PER_MINUTE: whole(0, 10_000, 30,
    'Refusals of one client in a minute that are looked into one by one; about further ones less is done. A right secret is always accepted. 0 switches it off.'),

  DATABASE_URL: secret({
    description: 'PostgreSQL connection string.',
    'x-accepts': 'postgresql://user:password@host:port/database',
    'x-default': 'sandbox: embedded PostgreSQL'
  }),
  ENCRYPTION_KEYRING_FILE: text({
    description: 'File with the key-encryption keys and peppers; re-read every 10 s, not readable by others.',
    'x-default': 'sandbox: made once'
  }),

  AZURE_TENANT_ID: guid('Entra tenant of the default provider.'),
  AZURE_CLIENT_ID: guid('The broker\'s own app registration in that tenant.'),
  AZURE_CLIENT_SECRET: secret({ description: 'Secret of the broker\'s app; one of the three credentials.' }),
  AZURE_CLIENT_CERTIFICATE_PATH: text({ description: 'PEM file with certificate and private key; one of the three credentials.' }),
  AZURE_FEDERATED_TOKEN_FILE: text({ description: 'Projected workload-identity token; one of the three credentials. Beside another it is for providers with a federated credential only.' }),
  AZURE_AUTHORITY_HOST: Type.String({
    default: 'https://login.microsoftonline.com', description: 'Sign-in host of the cloud; http only for loopback.'
  }),
  GRAPH_BASE_URL: text({ description: 'Microsoft Graph without a version; http only for loopback.', 'x-default': 'from AZURE_AUTHORITY_HOST' }),
  GRAPH_WRITES_PER_SECOND: Type.Number({
    minimum: 0,
    maximum: 1000,
    default: 18,
    description: 'Most Graph writes per second and tenant, over all replicas; 0 switches the limit off.',
    'x-accepts': 'a number from 0 to 1000'
  }),
  GRAPH_WRITE_BURST: whole(3, 3_000, 90, 'Writes that go through at once after a rest, within that limit.'),
  GRAPH_CONCURRENCY: whole(1, 1_000, 64, 'Most operations, and most Graph calls, of one replica at one tenant at once.'),

  KONNECT_API_KEYS: secret({
    description: 'Keys Kong Konnect sends as X-API-KEY, separated by commas; several are valid at once.', 'x-default': 'sandbox: made once'
  }),
  ADMIN_API_KEYS: secret({ description: 'Operator keys of the operations API, separated by commas.', 'x-default': 'sandbox: made once' }),
  GATEWAY_API_KEYS: secret({ description: 'Keys of gateways, for the gateway listener, separated by commas.', 'x-default': 'none; such keys can be made at run time' }),
  INITIAL_ACCESS_TOKENS: secret({
    description: 'RFC 7591 initial access tokens, separated by commas.', 'x-default': 'sandbox: made once'
  }),
  REGISTRATION_MODE: oneOf(['open', 'token', 'disabled'], 'token', 'Who may call POST /register.'),
  REGISTER_TOKEN_AUDIENCE: text({
    pattern: '^\\s*[^\\s,]+(\\s*,\\s*[^\\s,]+)*\\s*$',
    description: 'Audiences of the Entra access tokens with which services register, separated by commas.',
    'x-accepts': 'a comma list of App ID URIs and application ids',
    'x-default': 'at each provider the client id of the broker there, and `api://<client id>`'
  }),
  REGISTER_TOKEN_ROLE: Type.String({
    pattern: '^[^\\s,]{1,120}$',
    default: 'Registration.Create',
    description: 'App role that such a token must carry.',
    'x-accepts': 'the value of an app role, without spaces'
  }),

  OPERATOR_TOKEN_AUDIENCE: text({
    pattern: '^\\s*[^\\s,]+(\\s*,\\s*[^\\s,]+)*\\s*$',
    description: 'Audiences of the Entra access tokens that operators may show instead of a key, separated by commas.',
    'x-accepts': 'a comma list of App ID URIs and application ids',
    'x-default': 'AZURE_CLIENT_ID and `api://<AZURE_CLIENT_ID>`'
  }),
  OPERATOR_TOKEN_ROLES: Type.String({
    pattern: ROLE_LIST,
    default: 'Broker.Read=read+audit,Broker.Admin=register+read+rotate+delete+admin+audit',
    description: 'App roles of which such a token must carry one, and the scopes that each stands for.',
    'x-accepts': 'a comma list of <app role>=<scope>+<scope>…, of the scopes register, read, rotate, delete, admin, audit'
  }),

  REQUEST_DEADLINE_MS: whole(500, 60_000, 8000, 'Every request is answered within this time.'),
  ATTEMPT_TIMEOUT_MS: whole(100, 30_000, 3000, 'One call to Entra lasts at most this long.'),
  LEASE_MS: whole(5200, 10 * minuteMs, 15_000, 'How long a replica holds a registration it works on.'),
  RESUME_SCAN_MS: whole(50, 10 * minuteMs, 5000, 'How often a replica looks for unfinished work.'),
  REDELIVERY_WINDOW_MS: whole(1000, 24 * hourMs, 2 * minuteMs, 'How long a repeated request gets the answer that was not delivered.'),
  SWEEP_INTERVAL_MS: whole(50, 24 * hourMs, 5 * minuteMs, 'How often clients whose policy lets them expire are looked for.'),
  SWEEP_FIRST_LOOK_MS: whole(50, 24 * hourMs, 10 * minuteMs, 'When an ended registration is looked at again.'),
  SWEEP_SECOND_LOOK_MS: whole(50, 720 * hourMs, 24 * hourMs, 'When it is looked at for the last time.'),
  SUPERSEDED_GRACE_MS: whole(0, hourMs, minuteMs, 'A replaced secret that has not been removed by then is removed unproven.'),

  PURGE_AFTER_HOURS: whole(0, 720, 168, 'How long a deleted application stays restorable in Entra; 0 purges at once.'),
  KONNECT_SECRET_LIFETIME_DAYS: whole(1, 3650, 730, 'Life of a secret issued to Konnect, which cannot renew it.'),
  REGISTER_SECRET_LIFETIME_DAYS: whole(1, 3650, 180, 'Life of a secret issued by /register and the operations API.'),
  EXPIRY_MAX_PER_RUN: whole(0, 10_000, 50, 'Most clients that one run of the expiry disables, and most that it deletes; 0 switches it off.'),
  RECONCILE_INTERVAL_MS: whole(0, 168 * hourMs, hourMs, 'How often the applications in Entra are compared with the registrations; 0: only when an operator asks.'),
  RECONCILE_MIN_AGE_MS: whole(0, 168 * hourMs, hourMs, 'Applications and secrets in Entra younger than this are not judged.'),
  RECONCILE_SECOND_LOOK_MS: whole(0, 24 * hourMs, 10 * minuteMs, 'What has to be seen twice is believed when so much time lies between the looks.'),
  VERIFICATION_CLIENT_HOURS: whole(0, 8760, 24, 'A client of Konnect\'s Verify button that Konnect has not deleted by then is ended; 0: never.'),
  NEVER_LINKED_DAYS: whole(0, 3650, 0, 'A client of Konnect of which no event hook has come by then is disabled, if hooks of its caller come at all; at least 7; 0: never.'),
  NEVER_LINKED_GRACE_DAYS: whole(1, 3650, 30, 'When such a client is deleted after it was disabled.'),
  AUDIT_SEAL_INTERVAL_MS: whole(0, hourMs, 1000, 'How often new audit events are sealed into the chain; 0: this replica leaves it to others.'),
  MAX_SECRETS_PER_CLIENT: whole(1, 50, 5, 'Most valid secrets of one client.'),
  PROBE_NEW_SECRETS: Type.Boolean({
    default: false, description: 'Prove a new client\'s secret at the token endpoint before answering.', 'x-accepts': 'true or false'
  }),

  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info', 'Least severity that is logged.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: text({ description: 'Base of the OTLP/HTTP addresses of a collector that gets traces.', 'x-default': 'off' }),
  NODE_ENV: text({ description: '`production` never is a sandbox.' }),
  SANDBOX_DIR: Type.String({ default: '.sandbox', description: 'Where the sandbox keeps its state.' }),
  SIMULATOR_PORT: port(3002, 'Port of the sandbox\'s Entra simulator; 0 takes a free one.')
})

export type EnvironmentValues = Static<typeof environmentSchema>
export type SettingName = keyof EnvironmentValues

/** The schema of one setting with its annotations. */
export function annotationsOf (name: SettingName): Readonly<Record<string, unknown>> {
  return { ...environmentSchema.properties[name] }
}

export const settingNames = Object.keys(environmentSchema.properties) as SettingName[]

export const secretNames = settingNames.filter(name => annotationsOf(name)['x-secret'] === true)
