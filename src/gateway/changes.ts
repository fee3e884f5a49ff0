// How fresh what a gateway keeps of clients is. The database is asked which clients have changed: half a second old is the oldest answer that a
// decision may rest on, and who can't get one decides without what is kept.
import type { Clock } from '../registration/ports.ts'
import type { ClientChanges, GatewayStore } from './port.ts'

/** The oldest answer that counts. */
const OLDEST_MS = 500
/** From this age on the next one is asked for, while the one before still counts: in steady traffic nobody waits. */
const RENEW_MS = 200
/** Nobody waits longer for one, twice at most. */
const PATIENCE_MS = 500
/** Behind a longer pause nothing that was kept is of use; and changes are not remembered for ever. */
const FORGET_MS = 60_000

export interface Changes {
  /** Whether everything that was committed half a second ago has been told. Waits for an answer when it has to. */
  settle (): Promise<boolean>
  /** The same, without waiting. */
  isSettled (): boolean
}

export interface ChangesOptions {
  store: Pick<GatewayStore, 'changesSince'>
  clock: Pick<Clock, 'monotonicMs' | 'alarm'>
  /** Null: any may have changed. */
  onChanged (clientIds: string[] | null): void
}

export function createChanges ({ store, clock: { monotonicMs, alarm }, onChanged }: ChangesOptions): Changes {
  let moment: string | null = null
  let askedAtMs = -Infinity
  let flight: Promise<void> | null = null

  async function ask (beganAtMs: number): Promise<void> {
    try {
      const from = beganAtMs - askedAtMs > FORGET_MS ? null : moment
      const { upTo, clientIds }: ClientChanges = await store.changesSince(from)
      const named = from === null ? null : clientIds
      if (named === null || named.length > 0) onChanged(named)
      moment = upTo
      askedAtMs = beganAtMs
    } finally {
      flight = null
    }
  }

  async function renewed (): Promise<void> {
    flight ??= ask(monotonicMs())
    await flight
  }

  function isSettled (): boolean {
    const ageMs = monotonicMs() - askedAtMs
    // A failure shows when what is known is too old to count.
    if (ageMs >= RENEW_MS && flight === null) renewed().catch(() => undefined)
    return ageMs < OLDEST_MS
  }

  /** Resolves also when it fails or takes too long: then nothing is settled, and the clients themselves can perhaps be read. */
  async function attempted (): Promise<void> {
    await new Promise<void>(resolve => {
      const callOff = alarm(PATIENCE_MS, resolve)
      renewed().catch(() => undefined).finally(() => {
        callOff()
        resolve()
      })
    })
  }

  return {
    isSettled,
    async settle () {
      // The one that is under way may have hung for long: then it says what was then, and another is asked for.
      for (let attempt = 0; attempt < 2 && !isSettled(); attempt++) await attempted()
      return isSettled()
    }
  }
}
