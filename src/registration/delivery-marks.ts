// The queue of delivery marks on their way to the database: one statement at a time, ever more rarely while it is away.
import type { Clock, DeliveryOutcome, DeliveryStore, Log } from './ports.ts'

export const FLUSH_INTERVAL_MS = 50
const LONGEST_DELAY_MS = 5_000
/** Marks kept while the database is away; beyond it the oldest are forgotten and their rows end as `unknown`. */
const MAX_PENDING = 100_000

/** What became of an answer, and when on the monotonic clock of this process. */
export interface SeenAnswer {
  outcome: DeliveryOutcome
  atMs: number
}

type Marks = Map<string, SeenAnswer>

export class DeliveryMarks {
  readonly #store: Pick<DeliveryStore, 'markDeliveries'>
  readonly #clock: Pick<Clock, 'monotonicMs' | 'sleep'>
  readonly #log: Log
  #pending: Marks = new Map()
  #sending: Marks = new Map()
  #current: Promise<boolean> | null = null
  #next: Promise<boolean> | null = null
  #alarm: AbortController | null = null
  /** Before the next statement; grows while they fail. */
  #delayMs = FLUSH_INTERVAL_MS
  #failing = false
  #stopped = false

  constructor (store: Pick<DeliveryStore, 'markDeliveries'>, clock: Pick<Clock, 'monotonicMs' | 'sleep'>, log: Log) {
    this.#store = store
    this.#clock = clock
    this.#log = log
  }

  /** Marks that no statement has confirmed yet. */
  get unwritten (): number {
    return new Set([...this.#sending.keys(), ...this.#pending.keys()]).size
  }

  add (registrationId: string, answer: SeenAnswer): void {
    this.#keep(registrationId, answer)
    this.#schedule()
  }

  /** Writes what is there now. Resolves to whether it succeeded; those who ask during a statement share the next one. Never rejects. */
  async write (): Promise<boolean> {
    if (this.#current === null) {
      this.#current = this.#writeOnce().finally(() => {
        this.#current = null
        if (this.#pending.size > 0) this.#schedule()
      })
      return await this.#current
    }
    this.#next ??= this.#current.then(() => {
      this.#next = null
      return this.write()
    })
    return await this.#next
  }

  /** No statement begins by itself from now on. */
  stop (): void {
    this.#stopped = true
    this.#alarm?.abort('written')
  }

  async #writeOnce (): Promise<boolean> {
    this.#alarm?.abort('written')
    this.#alarm = null
    if (this.#pending.size === 0) return true
    this.#sending = this.#pending
    this.#pending = new Map()
    try {
      const nowMs = this.#clock.monotonicMs()
      await this.#store.markDeliveries(new Map([...this.#sending].map(([id, { outcome, atMs }]) => [id, { outcome, ageMs: nowMs - atMs }])))
      this.#succeeded(this.#sending.size)
      return true
    } catch (error) {
      this.#failed(error)
      return false
    } finally {
      this.#sending = new Map()
    }
  }

  #succeeded (marks: number): void {
    this.#delayMs = FLUSH_INTERVAL_MS
    if (this.#failing) this.#log.info({ marks }, 'Delivery marks are written again')
    this.#failing = false
  }

  #failed (error: unknown): void {
    // What failed is older than what came meanwhile.
    const newer = this.#pending
    this.#pending = new Map(this.#sending)
    for (const [registrationId, answer] of newer) this.#keep(registrationId, answer)
    this.#delayMs = Math.min(LONGEST_DELAY_MS, this.#delayMs * 2)
    // Said once, until they are written again.
    if (!this.#failing) this.#log.warn({ err: error, marks: this.#pending.size }, 'Delivery marks could not be written; they are kept and tried again')
    this.#failing = true
  }

  #keep (registrationId: string, answer: SeenAnswer): void {
    if (this.#pending.get(registrationId)?.outcome !== 'delivered') this.#pending.set(registrationId, answer)
    if (this.#pending.size > MAX_PENDING) this.#pending.delete(this.#pending.keys().next().value as string)
  }

  #schedule (): void {
    if (this.#alarm !== null || this.#current !== null || this.#stopped) return
    const alarm = new AbortController()
    this.#alarm = alarm
    this.#clock.sleep(this.#delayMs, alarm.signal).then(elapsed => elapsed ? this.write() : false, () => false)
  }
}
