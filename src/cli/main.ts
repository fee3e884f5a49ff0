#!/usr/bin/env node
// dcr-broker: the operator's command line. Answers go to stdout, everything else to stderr, one line each.
import { parseArgs } from 'node:util'
import { redactText } from '../log-redaction.ts'
import { version } from '../version.ts'
import { CommandError, UsageError, type Command, type CommandContext, type ExitCode } from './command.ts'
import { configCheck } from './commands/config-check.ts'
import { keyring } from './commands/keyring.ts'
import { migrate } from './commands/migrate.ts'

const commands: Readonly<Record<string, Command>> = { migrate, 'config-check': configCheck, keyring }

process.exitCode = await main(process.argv.slice(2))

async function main (args: readonly string[]): Promise<ExitCode> {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stopping.abort(new CommandError([`Stopped by ${signal}.`])) })
  const context: CommandContext = {
    environment: process.env,
    print: line => { process.stdout.write(`${line}\n`) },
    complain: line => { process.stderr.write(`${line}\n`) },
    signal: stopping.signal
  }
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
    return 0
  }
  if (name === undefined) throw new UsageError('Which command? See dcr-broker --help.')
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) throw new UsageError(`Unknown command: ${name}. See dcr-broker --help.`)
  const { values, positionals } = parse(command, rest)
  if (values.help === true) {
    help([command]).forEach(context.print)
    return 0
  }
  return await command.run(values, positionals, context)
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
    ...Object.entries(options).map(([name, option]) => `      --${name.padEnd(14)}${option.about}`)
  ])
}

/** Of an error nobody foresaw only its message, without what looks like a credential. */
function linesOf (error: unknown): readonly string[] {
  if (error instanceof CommandError) return error.lines
  if (error instanceof AggregateError) return error.errors.flatMap(linesOf)
  return [error instanceof Error ? redactText(error.message).replaceAll(/\s*\n\s*/g, ' ') : String(error)]
}
