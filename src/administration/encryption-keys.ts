// Use cases: which key-encryption keys there are, which one seals from now on, and when an old one may go.
import { toRegistrationError } from '../registration/failures.ts'
import type { Clock } from '../registration/ports.ts'
import type { EncryptionKey, EncryptionKeyStore, KeyOverview, KeyVault, Replica } from './encryption-keys-port.ts'
import { AdministrationError } from './errors.ts'
import type { Operator } from './operator.ts'
import { rewrapSome, type RewrapProgress } from './rewrap.ts'

/** A secret that was sealed under a key just before another took its place may still be on its way into the database. */
const GRACE_MS = 15 * 60_000

export interface ShownKey extends EncryptionKey {
  /** Null: not known here, for want of a keyring. */
  inKeyring: boolean | null
  /** Ids of live replicas that can't use it. */
  missingOn: string[]
  /** Values sealed under it. */
  sealedValues: number
}

export interface ShownKeys {
  keys: ShownKey[]
  replicas: Replica[]
  /** Values to bring under the active key, and how many there are in all; no key is active: all are left. */
  remaining: number
  total: number
}

/** All throw RegistrationError `temporarily_unavailable` when the database can't be reached. */
export interface EncryptionKeys {
  list (): Promise<ShownKeys>
  /** @throws AdministrationError unknown, conflict */
  activate (kid: string, by: Operator): Promise<ShownKey>
  /** @throws AdministrationError unknown, conflict */
  retire (kid: string, by: Operator): Promise<ShownKey>
  /** Brings values under the active key: as many as a few seconds allow. Repeat while something remains. @throws AdministrationError conflict */
  rewrap (by: Operator, signal?: AbortSignal): Promise<RewrapProgress>
}

/** @param vault null: without a keyring, which only `rewrap` needs */
export function createEncryptionKeys (store: EncryptionKeyStore, vault: KeyVault | null, clock: Pick<Clock, 'monotonicMs' | 'sleep'>): EncryptionKeys {
  const list = async () => shown(await store.overview(), vault)
  const one = async (kid: string) => keyOf((await list()).keys, kid)
  return {
    list: () => answering(list()),
    activate: (kid, by) => answering(store.activate(kid, by, overview => mayActivate(overview, kid)).then(() => one(kid))),
    retire: (kid, by) => answering(store.retire(kid, by, (overview, now) => mayRetire(overview, kid, now)).then(() => one(kid))),
    rewrap: (by, signal) => answering(rewrapSome(store, vault, clock, by, signal))
  }
}

async function answering<T> (work: Promise<T>): Promise<T> {
  return await work.catch((error: unknown) => { throw error instanceof AdministrationError ? error : toRegistrationError(error) })
}

function shown ({ keys, replicas, sealedValues }: KeyOverview, vault: KeyVault | null): ShownKeys {
  const total = [...sealedValues.values()].reduce((sum, count) => sum + count, 0)
  const active = keys.find(({ state }) => state === 'active')
  return {
    keys: keys.map(key => ({
      ...key,
      inKeyring: vault === null ? null : vault.canUse(key.kid),
      missingOn: lacking(replicas, key.kid).map(({ id }) => id),
      sealedValues: sealedValues.get(key.kid) ?? 0
    })),
    replicas,
    remaining: total - (active === undefined ? 0 : sealedValues.get(active.kid) ?? 0),
    total
  }
}

function mayActivate ({ keys, replicas }: KeyOverview, kid: string): void {
  const key = keyOf(keys, kid)
  if (key.state === 'retired') throw conflict(`Key ${kid} is retired. Make a new one: dcr-broker keys generate.`)
  const without = lacking(replicas, kid)
  if (without.length === 0) return
  const names = without.map(({ id, version }) => `${id} (${version})`).join(', ')
  throw conflict(`Key ${kid} is not yet on every live replica: ${names} ${without.length === 1 ? 'lacks' : 'lack'} it. Put the new keyring file there; it is read again within ten seconds.`)
}

function mayRetire ({ keys, replicas, sealedValues }: KeyOverview, kid: string, now: Date): void {
  const key = keyOf(keys, kid)
  const active = keys.find(({ state }) => state === 'active')
  if (key.state === 'retired') throw conflict(`Key ${kid} is retired already.`)
  if (active === undefined) throw conflict('No key was activated yet: activate the one that takes its place first.')
  if (active.kid === kid) throw conflict(`Key ${kid} is active: activate another one first.`)
  const users = replicas.filter(({ activeKid }) => activeKid === kid).map(({ id }) => id)
  if (users.length > 0) throw conflict(`New secrets are still sealed under ${kid} on: ${users.join(', ')}.`)
  const values = sealedValues.get(kid) ?? 0
  if (values > 0) throw conflict(`${values} ${values === 1 ? 'value is' : 'values are'} sealed under ${kid}: rewrap first.`)
  const replacedAt = key.replacedAt ?? active.activatedAt ?? now
  const leftMs = replacedAt.getTime() + GRACE_MS - now.getTime()
  if (leftMs > 0) throw conflict(`Key ${kid} was replaced only at ${replacedAt.toISOString()}: it can be retired in ${Math.ceil(leftMs / 60_000)} minutes.`)
}

function keyOf<Key extends EncryptionKey> (keys: readonly Key[], kid: string): Key {
  const key = keys.find(each => each.kid === kid)
  if (key === undefined) throw new AdministrationError(`There is no key ${kid}: no keyring file of a replica has it.`, 'unknown')
  return key
}

function lacking (replicas: readonly Replica[], kid: string): Replica[] {
  return replicas.filter(({ kids }) => !kids.includes(kid))
}

function conflict (message: string): AdministrationError {
  return new AdministrationError(message, 'conflict')
}
