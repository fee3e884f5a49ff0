// One turn of load on a process: how many requests a second, how long they took, and what they cost the process.
import type { Figures } from './contest.ts'
import { perRequest } from './process-figures.ts'
import { runLoad, type Limit } from './load.ts'
import type { Requests } from './create-requests.ts'
import { hammer, type Hammering } from './hammer.ts'
import { percentile } from './statistics.ts'

/** A process under load. */
export interface Loaded {
  cpuMs (): Promise<number | null>
}

/** Closed loop with requests that are made one by one; each turn has connections of its own. */
export async function loadTurn (loaded: Loaded, open: () => Requests, concurrency: number, limit: Limit): Promise<Figures> {
  const requests = open()
  try {
    return await watched(loaded, async () => {
      const { latenciesMs, elapsedMs } = await runLoad(requests.send, concurrency, limit)
      return { requests: latenciesMs.length, elapsedMs, p50Ms: percentile(latenciesMs, 0.5), p99Ms: percentile(latenciesMs, 0.99) }
    })
  } finally {
    await requests.close()
  }
}

/** Closed loop with requests that are ready beforehand: the load costs little beside what it loads. */
export async function hammerTurn (loaded: Loaded, hammering: Hammering): Promise<Figures> {
  return await watched(loaded, async () => await hammer(hammering))
}

async function watched (loaded: Loaded, work: () => Promise<{ requests: number, elapsedMs: number, p50Ms: number, p99Ms: number }>): Promise<Figures> {
  const before = await loaded.cpuMs()
  const { requests, elapsedMs, p50Ms, p99Ms } = await work()
  return {
    requests,
    perSecond: requests / elapsedMs * 1000,
    p50Ms,
    p99Ms,
    ...perRequest(before, await loaded.cpuMs(), requests)
  }
}
