// dcr-broker migrate: brings the database to this release's schema, or says what it lacks.
import { applyMigrations, markRolledBack, MigrationError, migrationStatus, type MigrationStatus } from '../../store/migrations.ts'
import { CommandError, UsageError, type Command, type CommandContext, type ExitCode } from '../command.ts'
import { databaseUrl } from '../database.ts'

export const migrate: Command = {
  usage: 'migrate [--status | --rolled-back <migration>] [--json]',
  about: 'Apply the migrations of this release to DATABASE_URL[_FILE].',
  options: {
    status: { type: 'boolean', about: 'Only compare; exit code 1 unless the database is up to date.' },
    'rolled-back': { type: 'string', about: 'Record that a failed migration has left nothing behind.' },
    json: { type: 'boolean', about: 'Answer in JSON.' }
  },

  async run (values, positionals, context) {
    if (positionals.length > 0) throw new UsageError(`Unexpected argument: ${positionals.join(' ')}`)
    const { status, 'rolled-back': rolledBack } = values
    if (status === true && rolledBack !== undefined) throw new UsageError('--status and --rolled-back exclude each other.')
    const url = databaseUrl(context.environment)
    const json = values.json === true
    try {
      if (status === true) return await showStatus(url, json, context)
      if (typeof rolledBack === 'string') return await resolve(url, rolledBack, json, context)
      return await apply(url, json, context)
    } catch (error) {
      if (error instanceof MigrationError) throw new CommandError([error.message])
      throw error
    }
  }
}

async function apply (connectionString: string, json: boolean, { print, complain, signal }: CommandContext): Promise<ExitCode> {
  // Progress belongs on stderr when stdout is for a program.
  const result = await applyMigrations({ connectionString, signal, log: json ? complain : print })
  if (json) print(JSON.stringify({ applied: result.applied, already_applied: result.alreadyApplied }))
  else print(result.applied.length === 0 ? 'Nothing to do: the database is up to date.' : `Applied ${result.applied.length} of ${result.applied.length + result.alreadyApplied} migrations.`)
  return 0
}

async function showStatus (connectionString: string, json: boolean, { print, signal }: CommandContext): Promise<ExitCode> {
  const status = await migrationStatus(connectionString, { signal })
  // Migrations of a newer release do not stop this one.
  const upToDate = status.pending.length + status.failed.length + status.changed.length === 0
  if (json) print(JSON.stringify({ up_to_date: upToDate, ...status }))
  else describe(status, upToDate).forEach(print)
  return upToDate ? 0 : 1
}

function describe (status: MigrationStatus, upToDate: boolean): string[] {
  const words: Record<keyof MigrationStatus, string> = {
    pending: 'not applied', failed: 'failed', changed: 'changed since it was applied', unknown: 'of another release'
  }
  const lines = (Object.keys(words) as Array<keyof MigrationStatus>).flatMap(kind => status[kind].map(name => `${name}: ${words[kind]}`))
  return [...lines, upToDate ? 'The database is up to date.' : 'The database is not up to date.']
}

async function resolve (url: string, name: string, json: boolean, { print, signal }: CommandContext): Promise<ExitCode> {
  if (!await markRolledBack(url, name, signal)) throw new CommandError([`There is no failed migration ${name}.`])
  print(json ? JSON.stringify({ rolled_back: name }) : `Recorded: ${name} is rolled back; the next migrate applies it again.`)
  return 0
}
