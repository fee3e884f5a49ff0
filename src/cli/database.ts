// The database of a command: DATABASE_URL or its file, and no other setting.
import { databaseHost } from '../settings/endpoints.ts'
import { collectGiven } from '../settings/secret-files.ts'
import { AdministrationError, InvalidValuesError } from '../administration/errors.ts'
import { openDatabase, type PrismaClient } from '../store/prisma-client.ts'
import type { RunStatement } from '../store/statements.ts'
import { CommandError, type CommandContext } from './command.ts'

/** @throws CommandError when it is missing or no PostgreSQL URL */
export function databaseUrl (environment: NodeJS.ProcessEnv): string {
  const { values, unusable, faults } = collectGiven(environment)
  if (unusable.has('DATABASE_URL')) throw new CommandError(faults.filter(fault => fault.startsWith('DATABASE_URL')))
  const url = values.DATABASE_URL
  if (url === undefined) throw new CommandError(['DATABASE_URL is missing. Accepted: postgresql://user:password@host:port/database, or DATABASE_URL_FILE.'])
  if (databaseHost(url) === null) throw new CommandError(['DATABASE_URL is not a PostgreSQL URL with a host.'])
  return url
}

/** Runs `work` on the database. @throws CommandError for what the operator can mend */
export async function withDatabase<T> ({ environment, signal }: CommandContext, work: (prisma: PrismaClient, run: RunStatement) => Promise<T>): Promise<T> {
  const database = openDatabase({ connectionString: databaseUrl(environment), maxConnections: 1 })
  try {
    signal.throwIfAborted()
    return await work(database.prisma, database.run)
  } catch (error) {
    if (error instanceof InvalidValuesError) throw new CommandError(error.faults.map(({ field, reason }) => `${field}: ${reason}`))
    if (error instanceof AdministrationError) throw new CommandError([error.message])
    if (isOfAnotherSchema(error)) throw new CommandError(['The database is not at this release\'s schema: run `dcr-broker migrate`.'])
    throw error
  } finally {
    await database.close()
  }
}

/** A table or a column is not there, as Prisma and as PostgreSQL say it. */
function isOfAnotherSchema (error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['P2021', 'P2022', '42P01', '42703'].includes(String(error.code))
}
