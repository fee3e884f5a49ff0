// Clients as the database knows them, kept while nothing about them changes. Whoever decides by what is kept is at most half a second behind;
// when the changes can't be read, every question goes to the database.
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../registration/ports.ts'
import { createChanges } from './changes.ts'
import type { GatewayClient, GatewayStore } from './port.ts'

/** Some tens of megabytes at most; those that were used longest ago go first. */
const MOST_KEPT = 20_000

export interface KnownClients {
  /** All registrations with this client id; empty: there is none. Throws StoreUnavailableError. */
  find (clientId: string): Promise<KnownClient>
  /** The same, as the database knows it now. */
  findNow (clientId: string): Promise<KnownClient>
}

export interface KnownClient {
  registrations: readonly GatewayClient[]
  /** When it was read (monotonic); the question was asked then, at the latest. */
  readAtMs: number
}

export function createKnownClients (store: Pick<GatewayStore, 'findClients' | 'changesSince'>, clock: Pick<Clock, 'monotonicMs' | 'alarm'>): KnownClients {
  const { monotonicMs } = clock
  const kept = new Map<string, KnownClient>()
  /** Questions that are under way: what is told meanwhile they may not know of. */
  const asking = new Map<string, number>()
  /** How often changes were told, and when last about everybody, and about a client that is being asked about. */
  let told = 0
  let toldOfAll = 0
  const toldOf = new Map<string, number>()

  const changes = createChanges({
    store,
    clock,
    onChanged (clientIds) {
      told++
      if (clientIds === null) {
        kept.clear()
        toldOfAll = told
      }
      for (const clientId of clientIds ?? []) {
        kept.delete(clientId)
        if (asking.has(clientId)) toldOf.set(clientId, told)
      }
    }
  })

  async function read (clientId: string, mayKeep: boolean): Promise<KnownClient> {
    const readAtMs = monotonicMs()
    const began = told
    // Each question by itself: in steady traffic no moment comes at which none is under way.
    const isOfNow = (): boolean => toldOfAll <= began && (toldOf.get(clientId) ?? 0) <= began
    asking.set(clientId, (asking.get(clientId) ?? 0) + 1)
    try {
      const known: KnownClient = { registrations: sameAsKept(clientId, await store.findClients(clientId)), readAtMs }
      // Nobody keeps what is not there: ids that somebody invents would push out those that are.
      if (mayKeep && known.registrations.length > 0 && isOfNow() && changes.isSettled()) keep(clientId, known)
      return known
    } finally {
      const others = (asking.get(clientId) ?? 1) - 1
      if (others > 0) {
        asking.set(clientId, others)
      } else {
        asking.delete(clientId)
        toldOf.delete(clientId)
      }
    }
  }

  /** What is remembered about a client goes with its record: one that is read again and is the same stays it. */
  function sameAsKept (clientId: string, registrations: GatewayClient[]): readonly GatewayClient[] {
    const before = kept.get(clientId)?.registrations
    return before !== undefined && isDeepStrictEqual(before, registrations) ? before : registrations
  }

  function keep (clientId: string, known: KnownClient): void {
    const [longestAgo] = kept.keys()
    if (longestAgo !== undefined && kept.size >= MOST_KEPT) kept.delete(longestAgo)
    kept.delete(clientId)
    kept.set(clientId, known)
  }

  return {
    async find (clientId) {
      // Before the question, so that what is kept afterwards has been asked for behind a change that was told.
      const isSettled = changes.isSettled() || await changes.settle()
      const known = isSettled ? kept.get(clientId) : undefined
      if (known === undefined) return await read(clientId, isSettled)
      kept.delete(clientId)
      kept.set(clientId, known)
      return known
    },
    findNow: async clientId => await read(clientId, changes.isSettled())
  }
}
