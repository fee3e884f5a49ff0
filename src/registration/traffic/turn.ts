// The right to make the writes of one operation, and a place among those that are under way.
import type { Deadline } from '../deadline.ts'
import type { Clock, DirectoryError } from '../ports.ts'
import type { Waiting } from './fair-queue.ts'
import { sleepUntilWoken } from './wake.ts'

export interface TurnParts {
  clock: Pick<Clock, 'sleep'>
  /** What is said to one whose turn did not come in time. */
  late: () => DirectoryError
  /** It is over: out of the queue, its writes taken back, or its place free for another. */
  leave: (turn: Turn, reached: 'waiting' | 'granted' | 'begun') => void
}

export class Turn implements Waiting {
  readonly party: string
  readonly size: number
  readonly #parts: TurnParts
  readonly #wake = new AbortController()
  #state: 'waiting' | 'granted' | 'begun' | 'over' = 'waiting'

  constructor (party: string, size: number, parts: TurnParts) {
    this.party = party
    this.size = size
    this.#parts = parts
  }

  /** The writes may begin. */
  grant (): void {
    this.#state = 'granted'
    this.#wake.abort('woken')
  }

  /**
   * Waits for it; then its writes are spent, and its place is kept until `end`.
   * @throws DirectoryError `throttled` at the deadline, or when `signal` aborts
   */
  async begin (deadline: Deadline, signal?: AbortSignal): Promise<void> {
    if (this.#state === 'waiting') await sleepUntilWoken(this.#parts.clock, deadline.remainingMs(), this.#wake, signal)
    if (this.#state !== 'granted') {
      this.end()
      throw this.#parts.late()
    }
    this.#state = 'begun'
  }

  /** The place is for somebody else; so are the writes, if it was not begun. */
  end (): void {
    if (this.#state === 'over') return
    const reached = this.#state
    this.#state = 'over'
    this.#parts.leave(this, reached)
  }
}
