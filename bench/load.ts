// Closed-loop load: a fixed number of workers, each sending its next request when the last one was answered.
// So a slow answer delays the next request: the figures are those of N callers who wait, not of a fixed arrival rate.

/** One request; rejects when the answer is not the one hoped for. */
export type Send = () => Promise<void>

export interface LoadResult {
  /** Of each request, in the order in which they ended. */
  latenciesMs: number[]
  /** From the first request to the last answer. */
  elapsedMs: number
}

/** Whichever comes first. */
export interface Limit {
  durationMs?: number
  requests?: number
}

/** Sends until the limit; the requests under way then are waited for and counted. Rejects with the first failure. */
export async function runLoad (send: Send, concurrency: number, limit: Limit): Promise<LoadResult> {
  const latenciesMs: number[] = []
  const startedMs = performance.now()
  let left = limit.requests ?? Infinity
  const endsMs = startedMs + (limit.durationMs ?? Infinity)

  async function work (): Promise<void> {
    while (left > 0 && performance.now() < endsMs) {
      left -= 1
      const sentMs = performance.now()
      await send()
      latenciesMs.push(performance.now() - sentMs)
    }
  }

  await Promise.all(Array.from({ length: concurrency }, work))
  return { latenciesMs, elapsedMs: performance.now() - startedMs }
}
