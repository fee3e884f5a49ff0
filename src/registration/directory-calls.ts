// The Graph calls of one operation: each in its turn, with a lease that outlasts it, repeated as failures.ts says, and never longer than it may.
import type { Actor, Core } from './core.ts'
import { earlier, type Deadline } from './deadline.ts'
import { asSeenAt, waitBeforeRepeat } from './failures.ts'
import { DirectoryError } from './ports.ts'
import type { Registration } from './registration.ts'
import { SHORTEST_ATTEMPT_MS } from './traffic/traffic.ts'
import type { Turn } from './traffic/turn.ts'
import { LARGEST_TURN } from './traffic/write-queue.ts'

/** On whose behalf the calls are made. */
export interface CallsOf {
  readonly registration: Registration
  readonly deadline: Deadline
  readonly actor: Actor
}

export interface CallOptions {
  turn: Turn | undefined
  /** Ends waiting early: the process is going down. */
  signal: AbortSignal | undefined
  /** @throws LeaseLostError */
  keepLease: () => Promise<void>
}

type Tools = Pick<Core, 'ports' | 'settings' | 'traffic'>
type Work<T> = (signal: AbortSignal) => Promise<T>

export class DirectoryCalls {
  readonly #core: Tools
  readonly #operation: CallsOf
  readonly #options: CallOptions
  #turn: Turn | null
  #hasBegun = false
  /** Writes that the last turn still covers. */
  #paidWrites = 0
  #outcomeUnknown = false

  constructor (core: Tools, operation: CallsOf, options: CallOptions) {
    this.#core = core
    this.#operation = operation
    this.#options = options
    this.#turn = options.turn ?? null
  }

  /** A write without an answer may still be applied. */
  get mayStillLand (): boolean {
    return this.#outcomeUnknown
  }

  /**
   * Makes a call that changes something, in its turn of the tenant's budget. Otherwise like `call`.
   * @throws DirectoryError `throttled` when its turn comes after the deadline
   */
  async write<T> (work: Work<T>): Promise<T> {
    await this.#waitForTurn()
    const result = await this.call(work, this.#operation.deadline)
    this.#outcomeUnknown = false
    return result
  }

  /**
   * Makes a call until it succeeds, fails for good, or the deadline is too near. Each attempt has its own signal.
   * @throws DirectoryError of the last attempt, LeaseLostError
   */
  async call<T> (work: Work<T>, deadline: Deadline): Promise<T> {
    const { ports: { clock, log } } = this.#core
    const { id } = this.#operation.registration
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#whenLet(work, deadline)
      } catch (thrown) {
        if (!(thrown instanceof DirectoryError)) throw thrown
        const error = asSeenAt(this.#ageMs(), thrown)
        this.#outcomeUnknown ||= error.outcomeUnknown
        const waitMs = waitBeforeRepeat(error, attempt, clock.random())
        if (waitMs === null || waitMs + SHORTEST_ATTEMPT_MS > deadline.remainingMs()) throw error
        log.debug({ registrationId: id, fault: error.fault, waitMs, ...error.diagnostics }, 'Graph call is repeated')
        await clock.sleep(waitMs, this.#options.signal)
      }
    }
  }

  /** One attempt, whatever the tenant asked for and whoever holds the lease. */
  async attempt<T> (work: Work<T>, deadline: Deadline): Promise<T> {
    const { ports: { correlation }, settings } = this.#core
    const { registration, actor } = this.#operation
    if (deadline.remainingMs() < SHORTEST_ATTEMPT_MS) throw new DirectoryError('unavailable', 'No time is left for another attempt')
    const controller = new AbortController()
    const timeoutMs = Math.min(settings.attemptTimeoutMs, earlier(deadline, SHORTEST_ATTEMPT_MS / 2).remainingMs())
    const timer = setTimeout(() => controller.abort(), timeoutMs)
    try {
      return await correlation.within({ registrationId: registration.id, requestId: actor.requestId }, async () => await work(controller.signal))
    } finally {
      clearTimeout(timer)
    }
  }

  /** No more writes: the turn's place is for somebody else, and so are its writes if it was not begun. */
  end (): void {
    this.#turn?.end()
    this.#turn = null
    this.#paidWrites = 0
  }

  async #whenLet<T> (work: Work<T>, deadline: Deadline): Promise<T> {
    return await this.#core.traffic.call(this.#operation.registration.providerId, async () => {
      // After the waiting: the lease must outlast the call itself.
      await this.#options.keepLease()
      return await this.attempt(work, deadline)
    }, deadline, this.#options.signal)
  }

  // Charged once, however often a call is repeated.
  async #waitForTurn (): Promise<void> {
    if (this.#paidWrites === 0) {
      const { registration: { providerId }, actor, deadline } = this.#operation
      if (this.#hasBegun) this.end()
      this.#turn ??= this.#core.traffic.join(providerId, actor.id, LARGEST_TURN, deadline)
      await this.#turn.begin(deadline, this.#options.signal)
      this.#hasBegun = true
      this.#paidWrites = this.#turn.size
    }
    this.#paidWrites -= 1
  }

  #ageMs (): number {
    return this.#core.ports.clock.now().getTime() - this.#operation.registration.createdAt.getTime()
  }
}
