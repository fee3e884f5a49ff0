// Who was told to come back, and when: those who come later have to wait for them too.
import type { Clock } from '../ports.ts'

/** Whoever is overdue for so long does not come any more. */
const PATIENCE_MS = 10_000
/** Parties that are remembered; more are let go. */
const MAX_PARTIES = 1_000

export class Returns {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  /** Times of return, by party, in the order they were promised. */
  readonly #due = new Map<string, number[]>()

  constructor (clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** How many are still to come. */
  expected (party: string): number {
    return this.#due.get(party)?.length ?? 0
  }

  promise (party: string, inMs: number): void {
    const due = this.#due.get(party) ?? []
    due.push(this.#clock.monotonicMs() + inMs)
    if (this.#due.size >= MAX_PARTIES) this.#due.clear()
    this.#due.set(party, due)
  }

  /** Somebody of this party asks. Whether he was here before nobody says: where one is due, it is he. */
  came (party: string): void {
    const due = this.#due.get(party)
    if (due === undefined) return
    const nowMs = this.#clock.monotonicMs()
    while ((due[0] ?? Infinity) < nowMs - PATIENCE_MS) due.shift()
    if ((due[0] ?? Infinity) <= nowMs) due.shift()
    if (due.length === 0) this.#due.delete(party)
  }
}
