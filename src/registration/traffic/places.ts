// The places of operations under way at one tenant, and how long it takes until one is free.
import type { Clock } from '../ports.ts'

/** Longer than any operation may take: a place that nobody gave back is not lost for ever. */
const LONGEST_MS = 120_000
/** Before any has ended: three calls of Graph take about this. */
const FIRST_GUESS_MS = 1_000
/** How much the newest operation counts in the average. */
const NEWEST_SHARE = 0.1

export class Places<Holder> {
  readonly #limit: number
  readonly #clock: Pick<Clock, 'monotonicMs'>
  /** Since when. */
  readonly #holders = new Map<Holder, number>()
  #averageMs: number | null = null

  constructor (limit: number, clock: Pick<Clock, 'monotonicMs'>) {
    this.#limit = limit
    this.#clock = clock
  }

  get isFull (): boolean {
    if (this.#holders.size < this.#limit) return false
    const [oldest] = this.#holders
    if (oldest !== undefined && oldest[1] + LONGEST_MS < this.#clock.monotonicMs()) this.#holders.delete(oldest[0])
    return this.#holders.size >= this.#limit
  }

  /** How long somebody who came now, behind so many others, would probably wait. */
  waitMs (ahead: number): number {
    const free = this.#limit - this.#holders.size
    return ahead < free ? 0 : (ahead - free + 1) * (this.#averageMs ?? FIRST_GUESS_MS) / this.#limit
  }

  take (holder: Holder): void {
    this.#holders.set(holder, this.#clock.monotonicMs())
  }

  free (holder: Holder): void {
    const sinceMs = this.#holders.get(holder)
    if (sinceMs === undefined) return
    this.#holders.delete(holder)
    const tookMs = this.#clock.monotonicMs() - sinceMs
    this.#averageMs = this.#averageMs === null ? tookMs : this.#averageMs + (tookMs - this.#averageMs) * NEWEST_SHARE
  }
}
