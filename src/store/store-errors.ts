// Which failures of the database mean "come back later" instead of a fault of ours, and which are worth another attempt at once.
import { setTimeout as delay } from 'node:timers/promises'
import { StoreUnavailableError } from '../registration/ports.ts'

// Prisma: P1xxx are connection errors, P2024 a full pool, P2028/P2034 transactions that could not run, P2010 wraps a driver error.
const UNAVAILABLE_PRISMA = /^(P1\d{3}|P2024|P2028|P2034)$/
// SQLSTATE: 08 connection, 53 resources, 57 operator intervention (shutdown, cancel), 40 rolled back, 25006 read-only (failed over), 55P03 lock.
const UNAVAILABLE_SQLSTATE = /^(08|53|57|40|25006|55P03)/
const SOCKET_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EHOSTUNREACH', 'EAI_AGAIN',
  // TLS: the server, or what is in its place, has another certificate than before.
  'CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'ERR_TLS_CERT_ALTNAME_INVALID'
])
// pg gives these no code.
const POOL_MESSAGES = new RegExp([
  'timeout exceeded when trying to connect', 'Connection terminated', 'Query read timeout', 'Client has encountered a connection error',
  'Cannot use a pool after calling end', 'Client was closed', 'The server does not support SSL connections'
].join('|'), 'i')

// Rolled back for another transaction's sake (serialization failure, deadlock): nothing of it has happened.
const ROLLED_BACK: ReadonlySet<string> = new Set(['40001', '40P01', 'P2034'])
const ROLLED_BACK_ATTEMPTS = 4
const ROLLED_BACK_WAIT_MS = 20

/** Runs a query, one commit at most, and throws StoreUnavailableError when the database is the reason. What was rolled back runs a few times. */
export async function guarded<T> (query: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await query()
    } catch (error) {
      if (attempt < ROLLED_BACK_ATTEMPTS && wasRolledBack(error)) {
        await delay(ROLLED_BACK_WAIT_MS * attempt * (1 + Math.random()))
        continue
      }
      if (isUnavailable(error)) throw new StoreUnavailableError('The database is not available', { cause: error })
      throw error
    }
  }
}

export function isUnavailable (error: unknown): boolean {
  return linksOf(error).some(({ code, message, driverCause }) =>
    (code !== null && (UNAVAILABLE_PRISMA.test(code) || UNAVAILABLE_SQLSTATE.test(code) || SOCKET_CODES.has(code))) ||
    POOL_MESSAGES.test(message) ||
    (driverCause !== null && driverCauseIsUnavailable(driverCause)))
}

function wasRolledBack (error: unknown): boolean {
  return linksOf(error).some(({ code, driverCause }) =>
    (code !== null && ROLLED_BACK.has(code)) ||
    driverCause?.kind === 'TransactionWriteConflict' ||
    ROLLED_BACK.has(driverCause?.originalCode ?? driverCause?.code ?? ''))
}

interface Link { code: string | null, message: string, driverCause: DriverCause | null }

/** An error and what it says caused it: Prisma's, its driver adapter's, pg's. */
function linksOf (error: unknown): Link[] {
  const links: Link[] = []
  for (let current: unknown = error; current instanceof Error && links.length < 5;) {
    const { code, message, meta, cause } = current as Error & { code?: unknown, meta?: { driverAdapterError?: unknown } }
    links.push({ code: typeof code === 'string' ? code : null, message, driverCause: isDriverCause(cause) ? cause : null })
    current = meta?.driverAdapterError ?? cause
  }
  return links
}

interface DriverCause { kind: string, originalCode?: string, code?: string }

function isDriverCause (cause: unknown): cause is DriverCause {
  return typeof cause === 'object' && cause !== null && !(cause instanceof Error) && 'kind' in cause
}

function driverCauseIsUnavailable (cause: DriverCause): boolean {
  if (['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TlsConnectionError', 'TooManyConnections', 'TransactionWriteConflict'].includes(cause.kind)) return true
  const code = cause.originalCode ?? cause.code
  return code !== undefined && UNAVAILABLE_SQLSTATE.test(code)
}
