// dcr-broker keyring create: makes the file with the key-encryption keys.
import { createKeyringFile } from '../../vault/keyring.ts'
import { CommandError, UsageError, type Command } from '../command.ts'

export const keyring: Command = {
  usage: 'keyring create <path> [--json]',
  about: 'Make a keyring file with one fresh key and pepper, mode 0600; never overwrites.',
  options: { json: { type: 'boolean', about: 'Answer in JSON.' } },

  async run (values, [action, path, ...rest], { print }) {
    if (action !== 'create') throw new UsageError(action === undefined ? 'What to do with the keyring? Known: create.' : `Unknown action: keyring ${action}`)
    if (path === undefined || rest.length > 0) throw new UsageError('keyring create takes exactly one path.')
    if (!await create(path)) throw new CommandError([`${path} exists and is left alone: it may seal somebody's secrets.`])
    print(values.json === true ? JSON.stringify({ created: path }) : `Made ${path}. Keep a copy: without it no stored secret can be read.`)
    return 0
  }
}

async function create (path: string): Promise<boolean> {
  try {
    return await createKeyringFile(path)
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw new CommandError([`${path} can't be made: ${error.message}`])
    throw error
  }
}
