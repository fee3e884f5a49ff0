// The keyring file: readable by the broker alone, and the one that this database was sealed under.
import { createReplicaStore } from '../../store/replica-store.ts'
import type { RunStatement } from '../../store/statements.ts'
import { createEnvelopeVault, type EnvelopeVault } from '../../vault/envelope-vault.ts'
import { KeyringError } from '../../vault/keyring-document.ts'
import { openKeyring } from '../../vault/keyring.ts'
import { failed, fine, type Finding } from './finding.ts'

/** The vault over the file; null when the file can't be used. */
export async function checkKeyring (path: string): Promise<{ vault: EnvelopeVault | null, findings: Finding[] }> {
  try {
    const keyring = await openKeyring(path, { info () {}, error () {} })
    keyring.close()
    const vault = createEnvelopeVault(keyring)
    return { vault, findings: [fine('keyring', `The file is good: keys ${vault.kids().join(', ')}, active ${vault.activeKid()}.`)] }
  } catch (error) {
    if (!(error instanceof KeyringError)) throw error
    const advice = 'Restore the file from its copy with mode 0600, owned by the broker\'s user. Do not make a new one for a database that has secrets.'
    return { vault: null, findings: error.faults.map(fault => failed('keyring', fault, advice)) }
  }
}

/** Whether file and database belong together. */
export async function checkKeysOfDatabase (run: RunStatement, vault: EnvelopeVault): Promise<Finding[]> {
  const keys = createReplicaStore(run)
  const { wrong, missing } = vault.verifyCheckValues(await keys.list())
  const lost = (await keys.referencedKids()).filter(kid => missing.includes(kid))
  const findings = [
    ...(wrong.length > 0
      ? [failed('keyring', `The database knows other bytes under: ${wrong.join(', ')}.`, 'The file is of another installation: let ENCRYPTION_KEYRING_FILE name the right one.')]
      : []),
    ...(lost.length > 0
      ? [failed('keyring', `Secrets are sealed under keys that the file lacks: ${lost.join(', ')}.`, 'Put these keys back from a copy of the file, with state decrypt.')]
      : [])
  ]
  return findings.length > 0 ? findings : [fine('keyring', 'It is the keyring of this database.')]
}
