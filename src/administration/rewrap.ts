// Brings sealed values under the active key, a slice at a time. The rows themselves are the queue: whoever stops goes on where they are.
import { VaultError, type Clock, type SealedPlace } from '../registration/ports.ts'
import type { EncryptionKeyStore, KeyVault, Rewrapped, SealedValue } from './encryption-keys-port.ts'
import { AdministrationError } from './errors.ts'
import type { Operator } from './operator.ts'

const BATCH = 200
/** Between batches: at most 10,000 values a second, and others get their turn. */
const PAUSE_MS = 20
const SLICE_MS = 3_000
const NAMED_FAILURES = 20

export interface RewrapProgress {
  /** What everything is brought under. */
  kid: string
  /** In this slice. */
  rewrapped: number
  /** Values of this slice that do not open, and so stay as they are. */
  failed: number
  /** The first of them. */
  failures: SealedPlace[]
  /** Values that are not under the active key, those that failed among them. */
  remaining: number
  total: number
}

/** @throws AdministrationError conflict; StoreUnavailableError; the signal's reason */
export async function rewrapSome (
  store: EncryptionKeyStore, vault: KeyVault | null, clock: Pick<Clock, 'monotonicMs' | 'sleep'>, by: Operator, signal?: AbortSignal
): Promise<RewrapProgress> {
  const { keys, sealedValues } = await store.overview()
  const active = keys.find(({ state }) => state === 'active')
  if (active === undefined) throw new AdministrationError('No key was activated yet: values stay under the key they have.', 'conflict')
  const { kid } = active
  if (vault === null || !vault.canUse(kid) || vault.activeKid() !== kid) {
    throw new AdministrationError(`This keyring does not have the active key ${kid}, or has not heard of its activation yet. Try again in some seconds.`, 'conflict')
  }
  const endsAtMs = clock.monotonicMs() + SLICE_MS
  const failures: SealedPlace[] = []
  let rewrapped = 0
  for (const old of [...sealedValues.keys()].filter(each => each !== kid)) {
    let after: SealedPlace | null = null
    for (;;) {
      signal?.throwIfAborted()
      const values = await store.sealedUnder(old, after, BATCH)
      rewrapped += await store.replaceWrapping(await underActive(vault, values, failures))
      after = values.at(-1)?.place ?? after
      if (values.length < BATCH || clock.monotonicMs() >= endsAtMs) break
      await clock.sleep(PAUSE_MS, signal)
    }
    if (clock.monotonicMs() >= endsAtMs) break
  }
  if (rewrapped > 0) await store.noteRewrap(by, kid, rewrapped)
  const left = (await store.overview()).sealedValues
  const total = [...left.values()].reduce((sum, count) => sum + count, 0)
  return { kid, rewrapped, failed: failures.length, failures: failures.slice(0, NAMED_FAILURES), remaining: total - (left.get(kid) ?? 0), total }
}

async function underActive (vault: KeyVault, values: readonly SealedValue[], failures: SealedPlace[]): Promise<Rewrapped[]> {
  const rewrapped: Rewrapped[] = []
  for (const { place, sealed } of values) {
    try {
      rewrapped.push({ place, before: sealed, sealed: await vault.rewrap(sealed, place) })
    } catch (error) {
      if (!(error instanceof VaultError)) throw error
      failures.push(place)
    }
  }
  return rewrapped
}
