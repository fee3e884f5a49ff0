// The Prisma client over one pg pool.
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaClient } from './generated/client.ts'
import { createRunStatement, createStatementNames, type RunStatement } from './statements.ts'

export type { PrismaClient } from './generated/client.ts'

/** A statement that takes longer is in trouble; the request has a deadline of its own. */
const STATEMENT_TIMEOUT_MS = 5_000
const CONNECT_TIMEOUT_MS = 2_000
/** Plans that Prisma keeps, latest used. Ours are few; filters and changes that callers put together make others, 16 KB each. */
const PLANS_REMEMBERED = 200

export interface DatabaseOptions {
  connectionString: string
  /** Connections of this process. */
  maxConnections?: number
  onPoolError?: (error: Error) => void
}

export interface Database {
  prisma: PrismaClient
  /** On the connections of the same pool. */
  run: RunStatement
  /** Rejects when it does not answer. */
  answers (): Promise<void>
  close (): Promise<void>
}

export function openDatabase (options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: options.maxConnections ?? 20,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    application_name: 'dcr-broker',
    keepAlive: true
  })
  // Prisma and pool keep what they were given: whoever prints one of them prints no password. pg hides only a password that stands alone.
  Object.defineProperty(pool.options, 'connectionString', { enumerable: false })
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', error => options.onPoolError?.(error))
  const nameOf = createStatementNames()
  const adapter = new PrismaPg(pool, { statementNameGenerator: ({ sql }) => nameOf(sql) })
  const prisma = new PrismaClient({ adapter, queryPlanCacheMaxSize: PLANS_REMEMBERED })
  return {
    prisma,
    run: createRunStatement(pool),
    async answers () { await pool.query('SELECT') },
    async close () {
      await prisma.$disconnect()
      await pool.end()
    }
  }
}
