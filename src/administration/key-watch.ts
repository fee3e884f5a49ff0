// What every process does about keys, every few seconds: remembers new ones, follows the database's word which is active, and
// reports which ones it has.
import type { KeyWatchVault, KnownEncryptionKey, ReplicaStore } from './encryption-keys-port.ts'

export interface KeyWatch {
  /** One round. @throws StoreUnavailableError */
  look (): Promise<void>
  /** What an operator has to mend about this process's keyring file; null: nothing. */
  fault (): string | null
  /** The process no longer counts. @throws StoreUnavailableError */
  leave (): Promise<void>
}

export function createKeyWatch (store: ReplicaStore, vault: KeyWatchVault, process: { id: string, version: string }): KeyWatch {
  let fault: string | null = null
  return {
    async look () {
      const known = await rememberNew(store, vault, await store.list())
      fault = keyringFault(vault, known, [])
      const { wrong } = vault.verifyCheckValues(known)
      const usable = vault.kids().filter(kid => vault.canUse(kid) && !wrong.includes(kid))
      // Reported first, read afterwards: whoever activates a key sees this report, or his change is seen here.
      await store.report({ ...process, kids: usable, activeKid: follow(vault, known) })
      const now = await store.list()
      follow(vault, now)
      fault = keyringFault(vault, now, [])
    },
    fault: () => fault,
    leave: () => store.leave(process.id)
  }
}

/**
 * What is wrong with a keyring for this database; null: nothing.
 *
 * @param referenced kids that sealed values refer to, where that is known
 */
export function keyringFault (vault: KeyWatchVault, known: readonly KnownEncryptionKey[], referenced: readonly string[]): string | null {
  const { wrong } = vault.verifyCheckValues(known)
  if (wrong.length > 0) return `The keyring has other bytes than this database knows under: ${wrong.join(', ')}. It belongs to another installation.`
  const lost = referenced.filter(kid => !vault.canUse(kid))
  if (lost.length > 0) return `Secrets in this database are sealed under keys that the keyring does not have, or has retired: ${lost.join(', ')}.`
  const active = known.find(({ state }) => state === 'active')
  if (active === undefined || vault.canUse(active.kid)) return null
  return `The active key ${active.kid} is not in the keyring file, or retired there: put it into the file, which is read again by itself.`
}

async function rememberNew (store: ReplicaStore, vault: KeyWatchVault, known: KnownEncryptionKey[]): Promise<KnownEncryptionKey[]> {
  const fresh = vault.kids().filter(kid => !known.some(key => key.kid === kid))
  if (fresh.length === 0) return known
  await store.remember(fresh.map(kid => ({ kid, checkValue: vault.checkValueOf(kid) })))
  return await store.list()
}

/** @returns what new values are sealed under; empty: nothing can be sealed */
function follow (vault: KeyWatchVault, known: readonly KnownEncryptionKey[]): string {
  vault.follow({
    active: known.find(({ state }) => state === 'active')?.kid ?? null,
    retired: known.filter(({ state }) => state === 'retired').map(({ kid }) => kid),
    foreign: vault.verifyCheckValues(known).wrong
  })
  try {
    return vault.activeKid()
  } catch {
    return ''
  }
}
