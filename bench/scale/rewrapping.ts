// Rotation of the key-encryption key: what one value costs, in slices as an operator's request makes them.
import { commandLine } from '../../src/administration/operator.ts'
import { rewrapSome } from '../../src/administration/rewrap.ts'
import type { Subject } from './subject.ts'

/** The pauses between batches are not work. */
const clock = { monotonicMs: () => performance.now(), sleep: async () => true }

/** Milliseconds per value of one slice. Another key is activated whenever no value is left under an older one. */
export async function timeSlice (subject: Subject): Promise<number> {
  const { keys, keyWatch, vault } = subject
  const { sealedValues } = await keys.overview()
  const kid = vault.activeKid()
  if (sealedValues.size === 1 && sealedValues.has(kid)) {
    const other = vault.kids().find(each => each !== kid)
    if (other === undefined) throw new Error('The keyring has one key only')
    await keys.activate(other, commandLine, () => {})
    await keyWatch.look()
  }
  const startedMs = performance.now()
  const { rewrapped, failed } = await rewrapSome(keys, vault, clock, commandLine)
  if (rewrapped === 0 || failed > 0) throw new Error(`${rewrapped} values rewrapped, ${failed} did not open`)
  return (performance.now() - startedMs) / rewrapped
}
