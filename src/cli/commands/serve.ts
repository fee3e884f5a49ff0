// dcr-broker serve: the broker itself, in this process; the same as node dist/src/main.js.
import type { Command } from '../command.ts'
import { noArguments } from '../option-values.ts'

export const serve: Command = {
  usage: 'serve',
  about: 'Run the broker until SIGTERM or SIGINT; a sandbox when nothing is configured.',
  options: {},

  async run (_values, positionals) {
    noArguments(positionals)
    // It reads the environment, listens and handles the signals; it ends the process with exit code 1 when it can't start.
    await import('../../main.ts')
    return 0
  }
}
