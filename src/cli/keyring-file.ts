// The keyring of a command: ENCRYPTION_KEYRING_FILE, and no other setting.
import { createEnvelopeVault, type EnvelopeVault } from '../vault/envelope-vault.ts'
import { KeyringError } from '../vault/keyring-document.ts'
import { openKeyring } from '../vault/keyring.ts'
import { CommandError, type CommandContext } from './command.ts'

/** Runs `work` with the keyring. @throws CommandError when it is missing or can't be used */
export async function withKeyring<T> ({ environment }: CommandContext, work: (vault: EnvelopeVault) => Promise<T>): Promise<T> {
  const path = environment.ENCRYPTION_KEYRING_FILE
  if (path === undefined || path === '') throw new CommandError(['ENCRYPTION_KEYRING_FILE is missing. Accepted: the path of the keyring file the broker uses.'])
  const keyring = await openKeyring(path, { info () {}, error () {} }).catch((error: unknown) => {
    if (error instanceof KeyringError) throw new CommandError(error.faults.map(fault => `${path}: ${fault}`))
    throw error
  })
  try {
    return await work(createEnvelopeVault(keyring))
  } finally {
    keyring.close()
  }
}
