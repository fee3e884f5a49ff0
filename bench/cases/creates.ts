// What the cases of creates have in common.
import { KONNECT_KEY } from '../broker.ts'
import type { Figures, Side } from '../contest.ts'
import { createRequests } from '../create-requests.ts'
import { loadTurn, type Loaded } from '../load-turn.ts'
import { startPeer, type Peer } from '../peer.ts'
import type { Surroundings } from '../surroundings.ts'
import { warmUp, type WarmUp } from '../warm-up.ts'

/** Where the throughput is nearly at its most and nobody waits long. */
export const CONCURRENCY = 16

export type Creating = Loaded & { url: string }

/** @param calls to the upstream for each create: 1 as Kong's reference handler, 3 as the broker */
export async function startBridge ({ upstream }: Surroundings, calls: 1 | 3): Promise<Peer> {
  return await startPeer('bridge', { API_KEY: KONNECT_KEY, UPSTREAM_URL: upstream.url, CALLS: String(calls) })
}

export async function createLoad (process: Creating, concurrency: number, durationMs: number): Promise<Figures> {
  return await loadTurn(process, () => createRequests(process.url, concurrency), concurrency, { durationMs })
}

/** Until its code is compiled. The upstream should answer at once meanwhile. */
export async function warmUpCreates (process: Creating, extent: WarmUp): Promise<void> {
  await warmUp(async durationMs => await createLoad(process, CONCURRENCY, durationMs), extent)
}

export function creates (name: string, process: Creating, concurrency: number, durationMs: number): Side {
  return { name, turn: async () => await createLoad(process, concurrency, durationMs) }
}
