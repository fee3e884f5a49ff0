// How long a tenant asked us to stay away. Requests made while it throttles count against the quota too, so nobody makes any.
import type { Clock } from '../ports.ts'

/** A tenant that names no time is left alone for so long, doubled each time until a call goes through. */
const FIRST_PAUSE_MS = 1_000
const LONGEST_GUESS_MS = 30_000
/** Whatever a tenant names: after that one call may find out. Entra counts over 150 s. */
const LONGEST_PAUSE_MS = 10 * 60_000
/** One call that finds out is waited for so long; then another may try. A page of applications takes Graph longer than others can wait. */
const PROBE_PATIENCE_MS = 1_000

export class Pause {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #untilMs = 0
  #guesses = 0
  /** Whether the tenant takes calls again nobody knows yet. */
  #isInDoubt = false
  /** When the one call began; null: none is under way. */
  #probedAtMs: number | null = null

  constructor (clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** Milliseconds until calls may start again; 0: at once. */
  get remainingMs (): number {
    return Math.max(0, this.#untilMs - this.#clock.monotonicMs())
  }

  /** After a pause one call finds out; the others wait for what becomes of it. */
  get letsOnlyOne (): boolean {
    return this.#isInDoubt
  }

  /** True: the caller is the one, and says `settled` afterwards. */
  probe (): boolean {
    const nowMs = this.#clock.monotonicMs()
    if (this.#probedAtMs !== null && nowMs - this.#probedAtMs < PROBE_PATIENCE_MS) return false
    this.#probedAtMs = nowMs
    return true
  }

  settled (): void {
    this.#probedAtMs = null
  }

  /** The tenant has throttled a call. Returns the milliseconds by which that prolongs the pause. */
  throttled (retryAfterMs: number | undefined): number {
    // The calls that were under way together are told the same.
    if (retryAfterMs === undefined && this.remainingMs > 0) return 0
    const ms = retryAfterMs === undefined
      ? Math.min(LONGEST_GUESS_MS, FIRST_PAUSE_MS * 2 ** this.#guesses++)
      : Math.min(LONGEST_PAUSE_MS, retryAfterMs)
    return this.extend(ms)
  }

  /** A later end wins over an earlier one. Returns the milliseconds gained. */
  extend (ms: number): number {
    const before = this.remainingMs
    this.#isInDoubt = true
    this.#untilMs = Math.max(this.#untilMs, this.#clock.monotonicMs() + ms)
    return this.remainingMs - before
  }

  /** The tenant has answered a call, if only to refuse it. */
  passed (): void {
    this.#guesses = 0
    // One that was under way when another was throttled says nothing of what comes after.
    if (this.remainingMs === 0) this.#isInDoubt = false
  }
}
