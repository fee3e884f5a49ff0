// Which failures of the database mean "come back later" instead of a fault of ours.
import { StoreUnavailableError } from '../registration/ports.ts'

// Prisma: P1xxx are connection errors, P2024 a full pool, P2028/P2034 transactions that could not run, P2010 wraps a driver error.
const UNAVAILABLE_PRISMA = /^(P1\d{3}|P2024|P2028|P2034)$/
// SQLSTATE: 08 connection, 53 resources, 57 operator intervention (shutdown, cancel), 40 rolled back, 25006 read-only (failed over), 55P03 lock.
const UNAVAILABLE_SQLSTATE = /^(08|53|57|40|25006|55P03)/
const SOCKET_CODES: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EHOSTUNREACH', 'EAI_AGAIN'])
// pg gives these no code.
const POOL_MESSAGES = new RegExp([
  'timeout exceeded when trying to connect', 'Connection terminated', 'Query read timeout', 'Client has encountered a connection error',
  'Cannot use a pool after calling end', 'Client was closed'
].join('|'), 'i')

/** Runs a query and throws StoreUnavailableError when the database is the reason. */
export async function guarded<T> (query: () => Promise<T>): Promise<T> {
  try {
    return await query()
  } catch (error) {
    if (isUnavailable(error)) throw new StoreUnavailableError('The database is not available', { cause: error })
    throw error
  }
}

export function isUnavailable (error: unknown): boolean {
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 5; depth++) {
    const { code, meta } = current as Error & { code?: unknown, meta?: { driverAdapterError?: unknown } }
    if (typeof code === 'string' && (UNAVAILABLE_PRISMA.test(code) || UNAVAILABLE_SQLSTATE.test(code) || SOCKET_CODES.has(code))) return true
    if (POOL_MESSAGES.test(current.message)) return true
    const driverCause = current.cause
    if (isDriverCause(driverCause) && driverCauseIsUnavailable(driverCause)) return true
    current = meta?.driverAdapterError ?? driverCause
  }
  return false
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
