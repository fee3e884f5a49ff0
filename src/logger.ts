// The broker's log: JSON lines, or readable ones on a terminal. No secret passes, whatever it is given.
import { createRequire } from 'node:module'
import type PinoPretty from 'pino-pretty'
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino'
import { censor, cleanDetails, describeError, redactText, secretMembers } from './log-redaction.ts'

export interface LoggerOptions {
  /** Least severity: fatal, error, warn, info, debug, trace or silent. */
  level: string
  /** Readable lines; default: when stdout is a terminal. Without pino-pretty installed the lines are JSON. */
  pretty?: boolean
  /** Default: stdout. Readable lines need a Node stream. */
  destination?: DestinationStream
}

/** A pino logger that redacts secret members at any depth and strips errors of requests, headers and parameters. */
export function createLogger ({ level, pretty = process.stdout.isTTY === true, destination }: LoggerOptions): Logger {
  const options = {
    level,
    timestamp: stdTimeFunctions.isoTime,
    // Members of the line itself, those of child loggers included. Paths with wildcards would cost 150 µs a line;
    // cleanDetails reaches every depth for a few.
    redact: { paths: secretMembers.map(name => `["${name}"]`), censor },
    serializers: { err: describe },
    formatters: {
      level: (label: string) => ({ level: label }),
      log: cleanDetails
    },
    hooks: { logMethod: withCleanTexts }
  }
  const stream = (pretty ? prettyStream(destination) : undefined) ?? destination
  return stream === undefined ? pino(options) : pino(options, stream)
}

function describe (value: unknown): unknown {
  return value instanceof Error ? describeError(value) : value
}

type LogMethod = (...args: unknown[]) => void

/** Cleans the message and what is interpolated into it; pino would take the raw message of an error that is logged alone. */
function withCleanTexts (this: Logger, args: unknown[], method: LogMethod): void {
  const [first, ...rest] = args.map(each => typeof each === 'string' ? redactText(each) : each)
  const error = first instanceof Error ? first : errorOf(first)
  if (error === null) method.call(this, first, ...rest)
  else {
    const details = first instanceof Error ? { err: first } : first
    method.call(this, details, ...(rest.length > 0 ? rest : [describeError(error).message]))
  }
}

function errorOf (details: unknown): Error | null {
  return typeof details === 'object' && details !== null && 'err' in details && details.err instanceof Error ? details.err : null
}

function prettyStream (destination: DestinationStream | undefined): DestinationStream | undefined {
  const build = loadPretty()
  return build?.({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', sync: true, ...(destination && { destination }) })
}

// A development dependency: an installation does without.
function loadPretty (): typeof PinoPretty | undefined {
  const require = createRequire(import.meta.url)
  try {
    const build: typeof PinoPretty = require('pino-pretty')
    return build
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}
