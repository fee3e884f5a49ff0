// dcr-broker keys generate: a keyring file with everything of the one in use, and one fresh key.
import { KeyringError } from '../../vault/keyring-document.ts'
import { createKeyringFile, extendKeyringFile } from '../../vault/keyring.ts'
import { CommandError, type Command } from '../command.ts'
import { jsonOption, soleArgument, textOption } from '../option-values.ts'

export const keysGenerate: Command = {
  usage: 'keys generate <new file> [--from <existing file>] [--json]',
  about: 'Make a keyring file, mode 0600, with a fresh key and all that another file has; never overwrites.',
  options: { from: { type: 'string', about: 'The keyring file in use. Left out: a keyring for a new installation.' }, json: jsonOption },

  async run (values, positionals, { print }) {
    const path = soleArgument(positionals, 'the path of the new file')
    const from = textOption(values, 'from')
    const made = await make(path, from)
    if (made === null) throw new CommandError([`${path} exists and is left alone: it may seal somebody's secrets.`])
    if (values.json === true) print(JSON.stringify({ created: path, kid: made.kid }))
    else if (made.kid === null) print(`Made ${path}. Keep a copy: without it no stored secret can be read.`)
    else print(`Made ${path} with the fresh key ${made.kid}. Put it in the place of ${from} on every replica, then: dcr-broker keys activate ${made.kid}`)
    return 0
  }
}

async function make (path: string, from: string | undefined): Promise<{ kid: string | null } | null> {
  try {
    if (from === undefined) return await createKeyringFile(path) ? { kid: null } : null
    const kid = await extendKeyringFile(from, path)
    return kid === null ? null : { kid }
  } catch (error) {
    if (error instanceof KeyringError) throw new CommandError(error.faults.map(fault => `${from}: ${fault}`))
    if (error instanceof Error && 'syscall' in error) throw new CommandError([`${path} can't be made: ${error.message}`])
    throw error
  }
}
