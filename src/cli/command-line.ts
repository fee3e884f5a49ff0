// Which command a command line means, and what its failure looks like.
import { parseArgs } from 'node:util'
import { redactText } from '../log-redaction.ts'
import { version } from '../version.ts'
import { CommandError, exitCodes, UsageError, type Command, type CommandContext, type ExitCode } from './command.ts'
import { commands } from './commands.ts'

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
