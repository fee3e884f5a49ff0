#!/usr/bin/env node
// dcr-broker: the operator's command line. Answers go to stdout, everything else to stderr, one line each.
import { CommandError } from './command.ts'
import { runCommandLine } from './command-line.ts'

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stopping.abort(new CommandError([`Stopped by ${signal}.`])) })

// `dcr-broker registrations list | head`: whoever has read enough goes.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

process.exitCode = await runCommandLine(process.argv.slice(2), {
  environment: process.env,
  print: line => { process.stdout.write(`${line}\n`) },
  complain: line => { process.stderr.write(`${line}\n`) },
  signal: stopping.signal
})
