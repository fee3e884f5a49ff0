// What must not reach a log line, and how it is kept out: members by name at any depth, errors by a list of what may stay, texts by pattern.
import { markedSecretMembers } from './secret-members.ts'

/** Of protocols and libraries: no schema of ours describes them. */
const foreignSecretMembers = [
  // Headers; names are compared in lower case as well.
  'proxy-authorization', 'cookie', 'set-cookie', 'ocp-apim-subscription-key', 'Authorization', 'X-API-KEY', 'X-Api-Key',
  // OAuth and OpenID Connect, whichever side of a conversation the broker is on.
  'access_token', 'accessToken', 'refresh_token', 'refreshToken', 'id_token', 'idToken', 'device_code', 'code_verifier',
  'initial_access_token', 'initialAccessToken', 'client_assertion', 'clientAssertion', 'assertion', 'software_statement',
  // msal and the broker's own proof.
  'clientCertificate', 'federatedToken', 'federated_token', 'password', 'passphrase', 'privateKey', 'private_key', 'pem',
  // Graph's addPassword.
  'secretText', 'secret_text',
  // pg, the vault and its keyring.
  'connectionString', 'plaintext', 'pepper',
  // What people call a key when they mean one.
  'api_key', 'apiKey', 'apiKeys', 'api-key', 'apikey'
]

/** Members that carry a secret, under whatever object they stand. */
export const secretMembers: readonly string[] = [...new Set([...markedSecretMembers, ...foreignSecretMembers])]

export const censor = '[redacted]'

const secretNames = new Set(secretMembers)

// Of an error, only these stay beside message, stack and cause. Graph, undici, msal, pg and Prisma hang requests, headers,
// parameters and row values on theirs under other names.
const errorMembers = [
  'code', 'status', 'statusCode', 'errno', 'syscall', 'address', 'port', 'signal', 'errorCode', 'errorNo', 'subError', 'correlationId',
  'requestId', 'fault', 'outcomeUnknown', 'retryAfterMs', 'severity', 'routine', 'schema', 'table', 'column', 'constraint'
]

const maxDepth = 8

/**
 * A copy of log details that holds no secret member and no raw error. Class instances directly under `req` and `res` are left
 * to the serializers of the HTTP framework.
 */
export function cleanDetails (details: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(details).map(([name, value]) => {
    if (isSecretName(name)) return [name, censor]
    const isMessage = (name === 'req' || name === 'res') && !isPlain(value)
    return [name, isMessage ? value : clean(value, 1)]
  }))
}

/** An error as plain data: type, message, stack, causes and harmless members. */
export function describeError (error: Error, depth = 0): Record<string, unknown> {
  const message = messageOf(error)
  const described: Record<string, unknown> = { type: error.name, message, stack: stackOf(error, message) }
  for (const [name, value] of Object.entries(error)) {
    if (errorMembers.includes(name) && /^(string|number|boolean)$/.test(typeof value)) {
      described[name] = typeof value === 'string' ? redactText(value) : value
    }
  }
  // DirectoryError: Graph codes, statuses and request ids, by the port's law never a secret.
  if ('diagnostics' in error) described.diagnostics = clean(error.diagnostics, depth + 1)
  if (depth >= maxDepth) return described
  if (error.cause !== undefined) described.cause = describeCause(error.cause, depth + 1)
  if (error instanceof AggregateError) described.errors = error.errors.map((each: unknown) => describeCause(each, depth + 1))
  return described
}

/**
 * The text without what looks like a credential: `name=value` and `"name":"value"` of secret members, bearer and basic values, URL
 * passwords, and what is known by its form wherever it stands, because Graph may quote what it was sent.
 */
export function redactText (text: string): string {
  return text
    .replace(secretForm, censor)
    .replace(/\b(Bearer|Basic)\s+[\w\-.~+/=]+/gi, `$1 ${censor}`)
    .replace(/(\b[a-z][a-z\d+.-]*:\/\/)[^\s/@?#]*:[^\s/?#]*@/gi, `$1${censor}@`)
    .replace(secretPair, `$1${censor}`)
}

// Private keys in PEM, JWTs, tokens of our making, and Entra's client secrets (three characters, 8Q, a tilde, the rest).
const secretForm = new RegExp([
  '-----BEGIN [A-Z ]*PRIVATE KEY-----[\\s\\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)',
  '\\beyJ[\\w-]{8,}\\.[\\w-]{8,}\\.[\\w-]*',
  '\\bdcr_[a-z]{3}_[\\w-]{40,}',
  '[\\w.~-]{3}(?:\\dQ)?~[\\w.~-]{30,}'
].join('|'), 'g')

const secretPair = new RegExp(`(\\b(?:${secretMembers.map(name => name.toLowerCase()).join('|')})\\b\\\\?["']?\\s*[=:]\\s*\\\\?["']?)[^\\s"'\\\\&,;}]+`, 'gi')

function clean (value: unknown, depth: number): unknown {
  if (value instanceof Error) return describeError(value, depth)
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (depth >= maxDepth) return '[deeper]'
  if (Array.isArray(value)) return value.map(each => clean(each, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([name, member]) =>
    [name, isSecretName(name) ? censor : clean(member, depth + 1)]))
}

// Headers come in any case.
const isSecretName = (name: string): boolean => secretNames.has(name) || secretNames.has(name.toLowerCase())

function isPlain (value: unknown): boolean {
  const prototype: unknown = typeof value === 'object' && value !== null ? Object.getPrototypeOf(value) : null
  return prototype === null || prototype === Object.prototype
}

function describeCause (cause: unknown, depth: number): unknown {
  return cause instanceof Error ? describeError(cause, depth) : `${typeof cause} thrown`
}

function messageOf (error: Error): string {
  // Prisma's message shows the whole call with its arguments; what went wrong is its last line.
  const text = error.name.startsWith('PrismaClient') ? error.message.trim().split('\n').at(-1) ?? '' : error.message
  // PostgreSQL, class 22: the value that it can't read is quoted.
  return redactText(unreadableValue.test(text) ? text.replaceAll(/"[^"]*"/g, `"${censor}"`) : text)
}

const unreadableValue = /invalid (input|byte)|out of range|malformed (array|record|range)|is too long for type/i

function stackOf (error: Error, message: string): string {
  // The head of a stack repeats the raw message.
  const frames = (error.stack ?? '').split('\n').filter(line => /^\s+at /.test(line))
  return [`${error.name}: ${message}`, ...frames].join('\n')
}
