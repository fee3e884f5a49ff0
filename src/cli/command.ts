// What a command of the CLI is.

/** 0: done. 1: it can't be done, or the answer is no. 2: the command line is wrong. */
export type ExitCode = 0 | 1 | 2

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
