// One operation on one registration: its lease, its deadline, what it changed so far, and the attempts at Graph calls.
import type { Actor, Core } from './core.ts'
import { earlier, type Deadline } from './deadline.ts'
import { LeaseLostError } from './errors.ts'
import { asSeenAt, waitBeforeRepeat } from './failures.ts'
import { dueInMs } from './lifecycle.ts'
import type { Pauses } from './pauses.ts'
import { DirectoryError, StoreUnavailableError, type Directory, type Held, type Lease, type LeaseDisposition, type Ports, type SaveOptions } from './ports.ts'
import type { AuditEntry, Credential, ProductEvent, Registration } from './registration.ts'
import type { CoreSettings } from './settings.ts'

/** What a Graph call must leave of the lease beside its own attempt timeout. */
const LEASE_MARGIN_MS = 5_000
/** An attempt with less time than this is not worth starting: it would end unknown. */
const SHORTEST_ATTEMPT_MS = 200
const COMMIT_RETRY_MS = 250

export interface OperationOptions {
  /** A password of ours that the row does not know may exist. */
  resumed: boolean
  /** The writes are charged to the tenant's budget already and begin in this many milliseconds. */
  paidTurnInMs?: number
  /** Ends waiting early: the process is going down. */
  signal?: AbortSignal
}

export class Operation {
  readonly registration: Registration
  readonly deadline: Deadline
  readonly ports: Ports
  readonly settings: CoreSettings
  readonly actor: Actor
  /** A password of ours that the row does not know may exist: look before adding another. */
  mayHaveStrays: boolean
  readonly #pauses: Pauses
  readonly #signal: AbortSignal | undefined
  #lease: Lease
  /** A Graph write may still land. */
  #outcomeUnknown = false
  #isPaid: boolean
  readonly #credentials = new Set<Credential>()
  readonly #uncommittedKeyIds = new Set<string>()
  #audit: AuditEntry[] = []
  #events: ProductEvent[] = []
  #managementToken: SaveOptions['managementToken']

  constructor ({ ports, settings, pauses }: Core, held: Held, deadline: Deadline, actor: Actor, options: OperationOptions) {
    this.registration = held.registration
    this.ports = ports
    this.settings = settings
    this.actor = actor
    this.#lease = held.lease
    this.#pauses = pauses
    this.#signal = options.signal
    this.deadline = { remainingMs: () => options.signal?.aborted === true ? 0 : deadline.remainingMs() }
    this.mayHaveStrays = options.resumed
    if (options.paidTurnInMs !== undefined) this.registration.turnAt = this.#in(options.paidTurnInMs)
    this.#isPaid = this.registration.turnAt !== null
  }

  /** The tenant. Throws DirectoryError while it can't be reached at all. */
  get directory (): Directory {
    return this.ports.directories.of(this.registration.providerId)
  }

  /**
   * Makes a Graph call that changes something, in the operation's turn of the tenant's budget. Otherwise like `call`.
   * @throws DirectoryError `throttled` when its turn comes after the deadline: the turn is kept
   */
  async write<T> (work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    await this.#waitForTurn()
    const result = await this.call(work)
    this.#outcomeUnknown = false
    return result
  }

  /**
   * Makes a Graph call until it succeeds, fails for good, or the deadline is too near. Each attempt has its own signal.
   * @throws DirectoryError of the last attempt, LeaseLostError
   */
  async call<T> (work: (signal: AbortSignal) => Promise<T>, deadline: Deadline = this.deadline): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      await this.#waitForPause(deadline)
      await this.#keepLease()
      try {
        return await this.#attempt(work, deadline)
      } catch (thrown) {
        if (!(thrown instanceof DirectoryError)) throw thrown
        const error = asSeenAt(this.#ageMs(), thrown)
        this.#outcomeUnknown ||= error.outcomeUnknown
        if (error.fault === 'throttled') this.#pauses.pause(this.registration.providerId, error.retryAfterMs ?? 0)
        const waitMs = waitBeforeRepeat(error, attempt, this.ports.clock.random())
        if (waitMs === null || waitMs + SHORTEST_ATTEMPT_MS > deadline.remainingMs()) throw error
        this.ports.log.debug({ registrationId: this.registration.id, fault: error.fault, waitMs, ...error.diagnostics }, 'Graph call is repeated')
        await this.#sleep(waitMs)
      }
    }
  }

  /** The credential is written with the next save. */
  touch (credential: Credential): void {
    if (!this.registration.credentials.includes(credential)) this.registration.credentials.push(credential)
    this.#credentials.add(credential)
  }

  /** A password was made in Entra that no committed row knows yet. */
  remember (keyId: string): void {
    this.#uncommittedKeyIds.add(keyId)
  }

  note (action: string, outcome: AuditEntry['outcome'] = 'succeeded', detail: AuditEntry['detail'] = {}): void {
    this.#audit.push({
      id: this.ports.clock.uuid(),
      at: this.ports.clock.now(),
      actor: this.actor.id,
      action,
      outcome,
      registrationId: this.registration.id,
      providerId: this.registration.providerId,
      requestId: this.actor.requestId,
      sourceAddress: this.actor.sourceAddress ?? null,
      detail
    })
  }

  /** The new registration access token is written with the next save; the previous one stays valid until the new one is used. */
  setManagementToken (current: Uint8Array, previous: Uint8Array): void {
    this.#managementToken = { current, previous }
    this.registration.managementDigest = current
    this.registration.previousManagementDigest = previous
  }

  addEvent (event: ProductEvent): void {
    this.#events.push(event)
  }

  /** Commits and goes on holding the lease. */
  async commit (): Promise<void> {
    await this.#save({ kind: 'keep' })
  }

  /** Commits and gives the lease back; the row is due when its next step is. */
  async release (): Promise<void> {
    await this.#save({ kind: 'release', dueInMs: dueInMs(this.registration, this.ports.clock.now(), this.settings) })
  }

  /** Commits what was reached and leaves the rest to whoever claims the row in `waitMs`. */
  async handOver (waitMs: number): Promise<void> {
    await this.#save({ kind: this.#outcomeUnknown ? 'abandon' : 'release', dueInMs: waitMs })
  }

  async #save (lease: LeaseDisposition): Promise<void> {
    const held: Held = { registration: this.registration, lease: this.#lease }
    const options = { lease, credentials: [...this.#credentials], events: this.#events, audit: this.#audit, managementToken: this.#managementToken }
    if (!await this.#saveThroughOutage(held, options) && !await this.#wasSavedBefore()) {
      await this.#removeUncommitted()
      throw new LeaseLostError()
    }
    this.#credentials.clear()
    this.#uncommittedKeyIds.clear()
    this.#audit = []
    this.#events = []
    this.#managementToken = undefined
  }

  // The outcome of a commit whose connection broke is unknown; the same fenced save may run twice, so it is repeated while there is time.
  async #saveThroughOutage (held: Held, options: Parameters<Ports['store']['save']>[1]): Promise<boolean> {
    for (;;) {
      try {
        return await this.ports.store.save(held, options)
      } catch (error) {
        if (!(error instanceof StoreUnavailableError) || this.deadline.remainingMs() < COMMIT_RETRY_MS * 2) throw error
        await this.#sleep(COMMIT_RETRY_MS)
      }
    }
  }

  // A save whose answer was lost may have been applied before somebody else took the row: then the row knows our passwords.
  async #wasSavedBefore (): Promise<boolean> {
    if (this.#uncommittedKeyIds.size === 0) return false
    const row = await this.ports.store.find(this.registration.id)
    const known = new Set(row?.credentials.map(credential => credential.keyId))
    return [...this.#uncommittedKeyIds].every(keyId => known.has(keyId))
  }

  // Whoever holds the row now does not know these passwords and never will.
  async #removeUncommitted (): Promise<void> {
    const objectId = this.registration.objectId
    if (objectId === null) return
    for (const keyId of this.#uncommittedKeyIds) {
      try {
        await this.#attempt(signal => this.directory.revokeSecret(objectId, keyId, signal), { remainingMs: () => this.settings.attemptTimeoutMs })
      } catch (error) {
        this.ports.log.warn({ err: error, registrationId: this.registration.id, keyId }, 'A password of a lost lease could not be removed')
      }
    }
  }

  async #attempt<T> (work: (signal: AbortSignal) => Promise<T>, deadline: Deadline): Promise<T> {
    const remainingMs = deadline.remainingMs()
    if (remainingMs < SHORTEST_ATTEMPT_MS) throw new DirectoryError('unavailable', 'No time is left for another attempt')
    const controller = new AbortController()
    const timeoutMs = Math.min(this.settings.attemptTimeoutMs, earlier(deadline, SHORTEST_ATTEMPT_MS / 2).remainingMs())
    const timer = setTimeout(() => controller.abort(), timeoutMs)
    try {
      const ids = { registrationId: this.registration.id, requestId: this.actor.requestId }
      return await this.ports.correlation.within(ids, async () => await work(controller.signal))
    } finally {
      clearTimeout(timer)
    }
  }

  // Charged once, however often the row is handed over and claimed until its turn comes.
  async #waitForTurn (): Promise<void> {
    if (!this.#isPaid) {
      this.registration.turnAt = this.#in(await this.ports.store.spendWrites(this.registration.providerId))
      this.#isPaid = true
    }
    if (this.registration.turnAt === null) return
    await this.#waitOrThrow(this.registration.turnAt.getTime() - this.ports.clock.now().getTime(), this.deadline)
    this.registration.turnAt = null
  }

  // A tenant that throttles is left alone by everybody in this process.
  async #waitForPause (deadline: Deadline): Promise<void> {
    await this.#waitOrThrow(this.#pauses.remainingMs(this.registration.providerId), deadline)
  }

  async #waitOrThrow (waitMs: number, deadline: Deadline): Promise<void> {
    if (waitMs <= 0) return
    if (waitMs + SHORTEST_ATTEMPT_MS > deadline.remainingMs()) {
      throw new DirectoryError('throttled', 'The tenant has no room for this call before the deadline', { retryAfterMs: waitMs })
    }
    await this.#sleep(waitMs)
  }

  async #keepLease (): Promise<void> {
    const neededMs = this.settings.attemptTimeoutMs + LEASE_MARGIN_MS
    if (this.#lease.expiresAtMs - this.ports.clock.monotonicMs() > neededMs) return
    const renewed = await this.ports.store.renew(this.#lease)
    if (renewed === null) throw new LeaseLostError()
    this.#lease = renewed
  }

  async #sleep (ms: number): Promise<void> {
    await this.ports.clock.sleep(ms, this.#signal)
  }

  #in (ms: number): Date | null {
    return ms > 0 ? new Date(this.ports.clock.now().getTime() + ms) : null
  }

  #ageMs (): number {
    return this.ports.clock.now().getTime() - this.registration.createdAt.getTime()
  }
}
