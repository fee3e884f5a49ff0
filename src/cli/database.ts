// The database of a command: DATABASE_URL or its file, and no other setting.
import { databaseHost } from '../settings/endpoints.ts'
import { collectGiven } from '../settings/secret-files.ts'
import { AdministrationError, InvalidValuesError } from '../administration/errors.ts'
import { openDatabase, type PrismaClient } from '../store/prisma-client.ts'
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
export async function withDatabase<T> ({ environment, signal }: CommandContext, work: (prisma: PrismaClient) => Promise<T>): Promise<T> {
  const database = openDatabase({ connectionString: databaseUrl(environment), maxConnections: 1 })
  try {
    signal.throwIfAborted()
    return await work(database.prisma)
  } catch (error) {
    if (error instanceof InvalidValuesError) throw new CommandError(error.faults.map(({ field, reason }) => `${field}: ${reason}`))
    if (error instanceof AdministrationError) throw new CommandError([error.message])
    if (isOfAnotherSchema(error)) throw new CommandError(['The database is not at this release\'s schema: run `dcr-broker migrate`.'])
    throw error
  } finally {
    await database.close()
  }
}

/** Prisma: a table or a column is not there. */
function isOfAnotherSchema (error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'P2021' || error.code === 'P2022')
}
