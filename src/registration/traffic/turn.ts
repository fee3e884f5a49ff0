// The right to make the writes of one operation.
import type { Deadline } from '../deadline.ts'
import type { Clock, DirectoryError } from '../ports.ts'
import type { Waiting } from './fair-queue.ts'
import { sleepUntilWoken } from './wake.ts'

export interface TurnParts {
  clock: Pick<Clock, 'sleep'>
  /** What is said to one whose turn did not come in time. */
  late: () => DirectoryError
  /** Takes it out of the queue, or its writes back. */
  leave: (turn: Turn, wasGranted: boolean) => void
}

export class Turn implements Waiting {
  readonly party: string
  readonly size: number
  readonly #parts: TurnParts
  readonly #wake = new AbortController()
  #isGranted = false
  #isOver = false

  constructor (party: string, size: number, parts: TurnParts) {
    this.party = party
    this.size = size
    this.#parts = parts
  }

  /** The writes may begin. */
  grant (): void {
    this.#isGranted = true
    this.#wake.abort()
  }

  /**
   * Waits for it; then its writes are spent.
   * @throws DirectoryError `throttled` at the deadline, or when `signal` aborts
   */
  async begin (deadline: Deadline, signal?: AbortSignal): Promise<void> {
    if (!this.#isGranted) await sleepUntilWoken(this.#parts.clock, deadline.remainingMs(), this.#wake, signal)
    if (!this.#isGranted) {
      this.giveUp()
      throw this.#parts.late()
    }
    this.#isOver = true
  }

  /** What was not begun is for somebody else. */
  giveUp (): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#parts.leave(this, this.#isGranted)
  }
}
