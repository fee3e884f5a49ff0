// How many calls of this process a tenant has to answer at once. The others wait in the order they came.
import type { Deadline } from '../deadline.ts'
import type { Clock } from '../ports.ts'
import { sleepUntilWoken } from './wake.ts'

export class CallGate {
  readonly #limit: number
  readonly #clock: Pick<Clock, 'sleep'>
  readonly #waiting = new Set<AbortController>()
  #inside = 0

  constructor (limit: number, clock: Pick<Clock, 'sleep'>) {
    this.#limit = limit
    this.#clock = clock
  }

  /** Runs `work` when there is room. Null: there was none before the deadline, and nothing was run. */
  async pass<T> (work: () => Promise<T>, deadline: Deadline, signal?: AbortSignal): Promise<{ result: T } | null> {
    if (!await this.#enter(deadline, signal)) return null
    try {
      return { result: await work() }
    } finally {
      this.#leave()
    }
  }

  async #enter (deadline: Deadline, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#inside < this.#limit) {
      this.#inside += 1
      return true
    }
    const wake = new AbortController()
    this.#waiting.add(wake)
    await sleepUntilWoken(this.#clock, deadline.remainingMs(), wake, signal)
    // Who was called in is out of the queue and has his place, whatever else happened meanwhile.
    return !this.#waiting.delete(wake)
  }

  // The place goes from one to the next, so that nobody who comes in between takes it.
  #leave (): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#inside -= 1
      return
    }
    this.#waiting.delete(next)
    next.abort('next')
  }
}
