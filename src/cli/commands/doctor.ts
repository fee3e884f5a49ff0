// dcr-broker doctor: walks everything the broker needs and says for each failure what to do. Looks only; changes nothing; shows no secret.
import { readSettings, SettingsError, type Settings } from '../../settings/settings.ts'
import { newestApplications } from '../../store/database-inspection.ts'
import { openDatabase, type Database } from '../../store/prisma-client.ts'
import { StoreUnavailableError } from '../../registration/ports.ts'
import type { EnvelopeVault } from '../../vault/envelope-vault.ts'
import { CommandError, type Command, type CommandContext } from '../command.ts'
import { databaseUrl } from '../database.ts'
import { checkDatabase, checkMigrations, checkOperators, checkOwnCredentials, unreachable } from '../doctor/database-checks.ts'
import { failed, fine, warning, type Finding } from '../doctor/finding.ts'
import { checkKeyring, checkKeysOfDatabase } from '../doctor/keyring-checks.ts'
import { checkTenant } from '../doctor/tenant-checks.ts'
import { jsonOption, noArguments } from '../option-values.ts'

/** Applications whose owner is looked at. */
const SAMPLES = 3

export const doctor: Command = {
  usage: 'doctor [--json]',
  about: 'Look at settings, database, migrations, keyring and tenant, and say what to do for each failure; changes nothing.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    noArguments(positionals)
    const findings = await examine(context)
    const faults = findings.filter(({ status }) => status === 'failed').length
    const warnings = findings.filter(({ status }) => status === 'warning').length
    if (values.json === true) context.print(JSON.stringify({ healthy: faults === 0, findings }))
    else {
      for (const { status, area, found, advice } of findings) {
        context.print(`${status.padEnd(8)} ${area.padEnd(11)} ${found}`)
        if (advice !== null) context.print(`${' '.repeat(21)}-> ${advice}`)
      }
      context.print(faults === 0 ? `Healthy${warnings === 0 ? '' : `, ${warnings} to look at`}.` : `${faults} failed, ${warnings} to look at.`)
    }
    return faults === 0 ? 0 : 1
  }
}

async function examine (context: CommandContext): Promise<Finding[]> {
  const { settings, findings } = checkSettings(context.environment)
  const replaced = settings?.sandbox?.replace
  if (replaced !== undefined && (replaced.database || replaced.tenant || replaced.keyring)) {
    return [...findings, fine('settings', 'This is a sandbox: what is missing is replaced when it starts, so there is nothing else to look at.')]
  }
  const keyringFile = settings?.keyringFile ?? context.environment.ENCRYPTION_KEYRING_FILE
  const keyring = keyringFile === undefined || keyringFile === '' ? null : await checkKeyring(keyringFile)
  const { findings: ofDatabase, objectIds } = await checkWhatIsStored(context, settings, keyring?.vault ?? null)
  const tenant = settings?.entra.tenant ?? null
  return [
    ...findings,
    ...ofDatabase,
    ...keyring?.findings ?? [],
    ...(settings === null || tenant === null ? [] : await checkTenant(tenant, objectIds, settings.limits.attemptTimeoutMs))
  ]
}

function checkSettings (environment: NodeJS.ProcessEnv): { settings: Settings | null, findings: Finding[] } {
  try {
    const settings = readSettings(environment)
    const advice = 'Remove it, or mend the name: docs/settings.md lists them.'
    return { settings, findings: [fine('settings', 'The settings are complete and fit together.'), ...settings.warnings.map(each => warning('settings', each, advice))] }
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return { settings: null, findings: error.faults.map(fault => failed('settings', fault, 'Set it as docs/settings.md says; dcr-broker config-check shows what is understood.')) }
  }
}

interface Stored {
  findings: Finding[]
  /** Applications of the environment's provider. */
  objectIds: string[]
}

/** What was found before the database stopped answering stays. */
async function checkWhatIsStored (context: CommandContext, settings: Settings | null, vault: EnvelopeVault | null): Promise<Stored> {
  const findings: Finding[] = []
  const url = urlOrFindings(context.environment, settings, findings)
  if (url === null) return { findings, objectIds: [] }
  const database = openDatabase({ connectionString: url, maxConnections: 1 })
  try {
    findings.push(...await checkDatabase(database.prisma))
    const migrations = await checkMigrations(url, context.signal)
    findings.push(...migrations)
    // Tables that are not there can't be asked.
    if (migrations.some(({ status }) => status === 'failed')) return { findings, objectIds: [] }
    return { findings, objectIds: await checkRows(database, settings, vault, findings) }
  } catch (error) {
    if (!(error instanceof StoreUnavailableError) && !isRefusal(error)) throw error
    findings.push(unreachable(error))
    return { findings, objectIds: [] }
  } finally {
    await database.close()
  }
}

async function checkRows ({ prisma, run }: Pick<Database, 'prisma' | 'run'>, settings: Settings | null, vault: EnvelopeVault | null, findings: Finding[]): Promise<string[]> {
  if (vault !== null) findings.push(...await checkKeysOfDatabase(run, vault))
  findings.push(...await checkOperators(prisma, settings?.callers.adminApiKeys.length ?? 0), ...await checkOwnCredentials(prisma, new Date()))
  return await newestApplications(prisma, 'default', SAMPLES)
}

function urlOrFindings (environment: NodeJS.ProcessEnv, settings: Settings | null, findings: Finding[]): string | null {
  try {
    return settings?.database?.url ?? databaseUrl(environment)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    // With faulty settings this has been said.
    if (settings !== null) findings.push(...error.lines.map(line => failed('database', line, 'Set DATABASE_URL.')))
    return null
  }
}

/** PostgreSQL itself, or the driver, says no: wrong password, no such database, no right to connect. */
function isRefusal (error: unknown): boolean {
  return error instanceof Error && ('code' in error || 'clientVersion' in error)
}
