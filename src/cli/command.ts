// What a command of the CLI is.

export type ExitCode = 0 | 1 | 2

export const exitCodes: Readonly<Record<ExitCode, string>> = {
  0: 'Done.',
  1: 'It can\'t be done, or the answer is no: something is missing, invalid, in use, pending or unhealthy. stderr says why, a line each.',
  2: 'The command line is wrong; nothing was tried.'
}

export interface CommandContext {
  environment: NodeJS.ProcessEnv
  /** A line on stdout. */
  print: (line: string) => void
  /** A line on stderr. */
  complain: (line: string) => void
  /** Aborts when the process is told to end. */
  signal: AbortSignal
}

export interface Command {
  /** What stands behind the name, for the help. */
  usage: string
  about: string
  options: Readonly<Record<string, { type: 'boolean' | 'string', about: string }>>
  run (values: Readonly<Record<string, string | boolean | undefined>>, positionals: readonly string[], context: CommandContext): Promise<ExitCode>
}

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** It can't be done, for reasons a person can mend: each a line, exit code 1. */
export class CommandError extends Error {
  readonly lines: readonly string[]

  constructor (lines: readonly string[]) {
    super(lines.join('\n'))
    this.name = 'CommandError'
    this.lines = lines
  }
}
