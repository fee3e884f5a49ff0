// The turns of one tenant's writes. The budget is shared by all replicas: each takes a slice of it, one statement, and gives it to whoever is
// next while there is a place among the operations under way. Who could not have his turn before his deadline is told so at once.
import type { Deadline } from '../deadline.ts'
import { DirectoryError, type Clock, type Log, type TrafficStore } from '../ports.ts'
import { FairQueue } from './fair-queue.ts'
import { Places } from './places.ts'
import { Turn } from './turn.ts'
import { sleepUntilWoken } from './wake.ts'

export interface WriteBudget {
  /** Over all replicas; 0: no limit. */
  writesPerSecond: number
  /** Writes that go through at once after a rest. */
  burst: number
  /** Operations of one process that are under way at once: what was begun is finished before more is begun. */
  concurrency: number
}

/** A slice is as many writes as the budget has in this time: a statement now and then, and no replica sits on much. */
const SLICE_MS = 250
/** Writes of a registration, the largest turn. A slice is a whole number of them. */
export const LARGEST_TURN = 3
/** What is left to do after the turn has come: three calls and a commit. */
const FINISH_MS = 500
const RETRY_MS = 250
/** Who has to come back comes before his time by this share of a deadline, so that the queue is never empty meanwhile. */
const COMES_EARLY = 0.75
const SOONEST_RETRY_MS = 1_000
/** Parties that were promised a time; more are not remembered one by one. */
const MAX_PROMISES = 1_000

export interface WriteQueueParts {
  providerId: string
  budget: WriteBudget
  store: Pick<TrafficStore, 'takeWrites'>
  clock: Pick<Clock, 'monotonicMs' | 'sleep'>
  log: Log
}

export class WriteQueue {
  readonly #parts: WriteQueueParts
  readonly #queue = new FairQueue<Turn>()
  readonly #places: Places<Turn>
  readonly #slice: number
  readonly #fairMsPerWrite: number
  /** As this replica sees it: other replicas take slices too. */
  #msPerWrite: number
  /** Writes of the slice at hand. */
  #writes = 0
  /** Writes of the slice that begins later. */
  #coming = 0
  /** When what nobody has taken yet may begin, on the monotonic clock. In the past: there is a reserve. */
  #freeAtMs: number
  #isServing = false
  #deserted = new AbortController()
  readonly #promisedMs = new Map<string, number>()

  constructor (parts: WriteQueueParts) {
    this.#parts = parts
    const { budget: { writesPerSecond, concurrency }, clock } = parts
    this.#places = new Places(concurrency, clock)
    this.#fairMsPerWrite = writesPerSecond === 0 ? 0 : 1_000 / writesPerSecond
    this.#msPerWrite = this.#fairMsPerWrite
    this.#slice = LARGEST_TURN * Math.max(1, Math.ceil(writesPerSecond * SLICE_MS / 1_000 / LARGEST_TURN))
    this.#freeAtMs = clock.monotonicMs() - this.#burstMs
  }

  /** Writes that wait for their turn. */
  get waiting (): number {
    return this.#queue.size
  }

  /** @throws DirectoryError `throttled` when the turn would come too late: nothing was charged, `retryAfterMs` says when there is room */
  join (party: string, size: number, deadline: Deadline): Turn {
    const turn = new Turn(party, size, {
      clock: this.#parts.clock,
      late: () => this.#refusal(party, size, deadline),
      leave: (left, reached) => this.#leave(left, reached)
    })
    if (this.#waitMs(party, size) + FINISH_MS > deadline.remainingMs()) throw this.#refusal(party, size, deadline)
    this.#queue.add(turn)
    this.#serve()
    return turn
  }

  /** Nothing is free for so long. */
  pause (ms: number): void {
    this.#freeAtMs = Math.max(this.#freeAtMs, this.#parts.clock.monotonicMs() + ms)
  }

  get #burstMs (): number {
    return this.#parts.budget.burst * this.#fairMsPerWrite
  }

  #waitMs (party: string, size: number): number {
    return Math.max(this.#places.waitMs(this.#queue.length), this.#budgetMs(party, size))
  }

  #budgetMs (party: string, size: number): number {
    if (this.#fairMsPerWrite === 0) return 0
    const ahead = this.#queue.sizeAhead(party) + size - this.#writes - this.#coming
    const nowMs = this.#parts.clock.monotonicMs()
    const freeAtMs = Math.max(this.#freeAtMs, nowMs - this.#burstMs)
    return Math.max(0, freeAtMs - nowMs + Math.max(0, ahead) * this.#msPerWrite)
  }

  // Each of those who have to come back gets a time of his own, so that they do not all come at once.
  #refusal (party: string, size: number, deadline: Deadline): DirectoryError {
    const nowMs = this.#parts.clock.monotonicMs()
    const slotMs = Math.max(this.#promisedMs.get(party) ?? 0, nowMs + this.#waitMs(party, size))
    if (this.#promisedMs.size >= MAX_PROMISES) this.#promisedMs.clear()
    this.#promisedMs.set(party, slotMs + size * this.#msPerWrite * Math.max(1, this.#queue.parties))
    const retryAfterMs = Math.max(SOONEST_RETRY_MS, slotMs - nowMs - deadline.remainingMs() * COMES_EARLY)
    return new DirectoryError('throttled', 'The tenant has no room for these writes before the deadline', { retryAfterMs })
  }

  #leave (turn: Turn, reached: 'waiting' | 'granted' | 'begun'): void {
    if (reached === 'waiting') this.#queue.remove(turn)
    else this.#places.free(turn)
    if (reached === 'granted') this.#writes += turn.size
    if (this.#queue.first === undefined) this.#deserted.abort('deserted')
    else this.#serve()
  }

  #serve (): void {
    if (this.#isServing) return
    this.#isServing = true
    const serving = async (): Promise<void> => {
      for (let isFirst = true; this.#grant(); isFirst = false) await this.#takeSlice(isFirst)
      // In the same turn in which it was seen that nobody waits: who comes a moment later must be served.
      this.#isServing = false
    }
    serving().catch((error: unknown) => {
      this.#isServing = false
      this.#parts.log.error({ err: error, providerId: this.#parts.providerId }, 'The queue of writes has stopped; whoever comes next starts it again')
    })
  }

  /** True: the next one waits for writes. For a place he waits until somebody leaves. */
  #grant (): boolean {
    for (;;) {
      const turn = this.#queue.first
      if (turn === undefined || this.#places.isFull) return false
      if (this.#fairMsPerWrite > 0) {
        if (turn.size > this.#writes) return true
        this.#writes -= turn.size
      }
      this.#queue.shift()
      this.#places.take(turn)
      turn.grant()
    }
  }

  /** Never rejects. */
  async #takeSlice (isFirst: boolean): Promise<void> {
    const { store, providerId, clock, log } = this.#parts
    try {
      const { beginInMs, spentForMs } = await store.takeWrites(providerId, this.#slice)
      this.#learn(clock.monotonicMs() + spentForMs, beginInMs > 0, isFirst)
      this.#coming = this.#slice
      const isWanted = await this.#waitForSlice(beginInMs)
      this.#coming = 0
      if (isWanted) this.#writes += this.#slice
    } catch (error) {
      // Who waits is told so at his deadline; whatever he wants needs the database too.
      log.debug({ err: error, providerId }, 'A slice of the write budget could not be taken')
      await clock.sleep(RETRY_MS)
    }
  }

  /** False: nobody waits for it any more, and its time has not come. It is lost, which is less than what it would cost to keep it. */
  async #waitForSlice (ms: number): Promise<boolean> {
    if (ms <= 0) return true
    this.#deserted = new AbortController()
    await sleepUntilWoken(this.#parts.clock, ms, this.#deserted, undefined)
    return !this.#deserted.signal.aborted
  }

  // While every slice has to be waited for, the distance between two of ours tells how many others take some.
  // After a rest the first one tells nothing: what the others took meanwhile is not what they leave us now.
  #learn (freeAtMs: number, isScarce: boolean, isFirst: boolean): void {
    const observed = isFirst ? this.#msPerWrite : (freeAtMs - this.#freeAtMs) / this.#slice
    this.#msPerWrite = isScarce ? Math.max(this.#fairMsPerWrite, (this.#msPerWrite + observed) / 2) : this.#fairMsPerWrite
    this.#freeAtMs = freeAtMs
  }
}
