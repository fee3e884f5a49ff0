// Which command a command line means, and what its failure looks like.
import { parseArgs } from 'node:util'
import { redactText } from '../log-redaction.ts'
import { version } from '../version.ts'
import { CommandError, exitCodes, UsageError, type Command, type CommandContext, type ExitCode } from './command.ts'
import { auditList } from './commands/audit-list.ts'
import { auditVerify } from './commands/audit-verify.ts'
import { callersBind } from './commands/callers-bind.ts'
import { callersCreate } from './commands/callers-create.ts'
import { callersList } from './commands/callers-list.ts'
import { callersRevoke } from './commands/callers-revoke.ts'
import { configCheck } from './commands/config-check.ts'
import { doctor } from './commands/doctor.ts'
import { installationRenew } from './commands/installation-renew.ts'
import { installationShow } from './commands/installation-show.ts'
import { exportCommand } from './commands/export.ts'
import { importCommand } from './commands/import.ts'
import { keyring } from './commands/keyring.ts'
import { keysActivate } from './commands/keys-activate.ts'
import { keysGenerate } from './commands/keys-generate.ts'
import { keysList } from './commands/keys-list.ts'
import { keysRetire } from './commands/keys-retire.ts'
import { keysRewrap } from './commands/keys-rewrap.ts'
import { migrate } from './commands/migrate.ts'
import { policiesDryRun } from './commands/policies-dry-run.ts'
import { policiesList } from './commands/policies-list.ts'
import { policiesSet } from './commands/policies-set.ts'
import { policiesShow } from './commands/policies-show.ts'
import { policiesVersions } from './commands/policies-versions.ts'
import { providersCreate } from './commands/providers-create.ts'
import { providersCredentialsActivate } from './commands/providers-credentials-activate.ts'
import { providersCredentialsAdd } from './commands/providers-credentials-add.ts'
import { providersCredentialsList } from './commands/providers-credentials-list.ts'
import { providersCredentialsRemove } from './commands/providers-credentials-remove.ts'
import { providersCredentialsVerify } from './commands/providers-credentials-verify.ts'
import { providersDelete } from './commands/providers-delete.ts'
import { providersImport } from './commands/providers-import.ts'
import { providersList } from './commands/providers-list.ts'
import { providersShow } from './commands/providers-show.ts'
import { providersUpdate } from './commands/providers-update.ts'
import { providersVerify } from './commands/providers-verify.ts'
import { registrationsEnable } from './commands/registrations-enable.ts'
import { scopesList } from './commands/scopes-list.ts'
import { scopesRemove } from './commands/scopes-remove.ts'
import { scopesSet } from './commands/scopes-set.ts'
import { serve } from './commands/serve.ts'
import { strategiesCreate } from './commands/strategies-create.ts'
import { strategiesDelete } from './commands/strategies-delete.ts'
import { strategiesKonnect } from './commands/strategies-konnect.ts'
import { strategiesList } from './commands/strategies-list.ts'
import { strategiesShow } from './commands/strategies-show.ts'
import { strategiesUpdate } from './commands/strategies-update.ts'
import { usageDeclare } from './commands/usage-declare.ts'
import { usageReport } from './commands/usage-report.ts'

/** By their first word, or by more where the first ones name what the last does something with. */
export const commands: Readonly<Record<string, Command>> = {
  serve,
  migrate,
  doctor,
  'config-check': configCheck,
  keyring,
  'installation show': installationShow,
  'installation renew': installationRenew,
  'audit list': auditList,
  'audit verify': auditVerify,
  'callers create': callersCreate,
  'callers list': callersList,
  'callers bind': callersBind,
  'callers revoke': callersRevoke,
  'keys generate': keysGenerate,
  'keys list': keysList,
  'keys activate': keysActivate,
  'keys rewrap': keysRewrap,
  'keys retire': keysRetire,
  'policies set': policiesSet,
  'policies show': policiesShow,
  'policies list': policiesList,
  'policies versions': policiesVersions,
  'policies dry-run': policiesDryRun,
  'providers list': providersList,
  'providers show': providersShow,
  'providers create': providersCreate,
  'providers update': providersUpdate,
  'providers delete': providersDelete,
  'providers verify': providersVerify,
  'providers import': providersImport,
  'providers credentials list': providersCredentialsList,
  'providers credentials add': providersCredentialsAdd,
  'providers credentials verify': providersCredentialsVerify,
  'providers credentials activate': providersCredentialsActivate,
  'providers credentials remove': providersCredentialsRemove,
  'registrations enable': registrationsEnable,
  export: exportCommand,
  import: importCommand,
  'scopes set': scopesSet,
  'scopes list': scopesList,
  'scopes remove': scopesRemove,
  'strategies list': strategiesList,
  'strategies show': strategiesShow,
  'strategies create': strategiesCreate,
  'strategies update': strategiesUpdate,
  'strategies delete': strategiesDelete,
  'strategies konnect': strategiesKonnect,
  'usage declare': usageDeclare,
  'usage report': usageReport
}

/** Runs one command line. What goes wrong becomes lines of `complain` and the exit code. */
export async function runCommandLine (args: readonly string[], context: CommandContext): Promise<ExitCode> {
  try {
    return await dispatch(args, context)
  } catch (error) {
    for (const line of linesOf(error)) context.complain(`dcr-broker: ${line}`)
    return error instanceof UsageError ? 2 : 1
  }
}

async function dispatch ([name, ...rest]: readonly string[], context: CommandContext): Promise<ExitCode> {
  if (name === '--version' || name === '-v') {
    context.print(version)
    return 0
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    help(Object.values(commands)).forEach(context.print)
    context.print('Exit codes')
    for (const [code, meaning] of Object.entries(exitCodes)) context.print(`      ${code}  ${meaning}`)
    return 0
  }
  if (name === undefined) throw new UsageError('Which command? See dcr-broker --help.')
  const helpAt = rest.findIndex(word => word === '--help' || word === '-h')
  const group = helpAt === -1 ? [] : groupOf([name, ...rest.slice(0, helpAt)].join(' '))
  if (group.length > 0) {
    help(group).forEach(context.print)
    return 0
  }
  const { command, args } = find(name, rest)
  const { values, positionals } = parse(command, args)
  if (values.help === true) {
    help([command]).forEach(context.print)
    return 0
  }
  return await command.run(values, positionals, context)
}

/** The first words are the longest name of a command that they can be. */
function find (name: string, rest: string[]): { command: Command, args: string[] } {
  if (Object.hasOwn(commands, name) && commands[name] !== undefined) return { command: commands[name], args: rest }
  if (groupOf(name).length === 0) throw new UsageError(`Unknown command: ${name}. See dcr-broker --help.`)
  const [verb, ...args] = rest
  const known = [...new Set(Object.keys(commands).filter(words => words.startsWith(`${name} `)).map(words => words.slice(name.length + 1).split(' ')[0]))].join(', ')
  if (verb === undefined) throw new UsageError(`What to do with the ${name}? Known: ${known}.`)
  const words = `${name} ${verb}`
  if (!Object.hasOwn(commands, words) && groupOf(words).length === 0) throw new UsageError(`Unknown action: ${words}. Known: ${known}.`)
  return find(words, args)
}

/** The commands whose names begin with these words. */
function groupOf (words: string): Command[] {
  return Object.entries(commands).filter(([name]) => name.startsWith(`${words} `)).map(([, command]) => command)
}

function parse (command: Command, args: string[]) {
  const options = Object.fromEntries(Object.entries(command.options).map(([name, { type }]) => [name, { type }]))
  try {
    return parseArgs({ args, options: { ...options, help: { type: 'boolean', short: 'h' } }, allowPositionals: true })
  } catch (error) {
    // The parser's message has a second sentence about `--`.
    throw new UsageError(error instanceof Error ? error.message.split(/\. /, 1)[0] ?? '' : String(error))
  }
}

function help (shown: readonly Command[]): string[] {
  return shown.flatMap(({ usage, about, options }) => [
    `dcr-broker ${usage}`,
    `    ${about}`,
    ...Object.entries(options).map(([name, option]) => `      --${name.padEnd(19)}${option.about}`)
  ])
}

/** Of an error nobody foresaw only its message, without what looks like a credential. */
function linesOf (error: unknown): readonly string[] {
  if (error instanceof CommandError) return error.lines
  if (error instanceof AggregateError) return error.errors.flatMap(linesOf)
  return [error instanceof Error ? redactText(error.message).replaceAll(/\s*\n\s*/g, ' ') : String(error)]
}
