// One operation on one registration: its lease, its deadline, what it changed so far, and the attempts at Graph calls.
import type { Core } from './core.ts'
import { earlier, type Deadline } from './deadline.ts'
import { LeaseLostError } from './errors.ts'
import { asSeenAt, waitBeforeRepeat } from './failures.ts'
import { dueInMs } from './lifecycle.ts'
import type { Pauses } from './pauses.ts'
import { DirectoryError, StoreUnavailableError, type Directory, type Held, type Lease, type LeaseDisposition, type Ports } from './ports.ts'
import type { AuditEntry, Credential, ProductEvent, Registration } from './registration.ts'
import type { CoreSettings } from './settings.ts'

/** What a Graph call must leave of the lease beside its own attempt timeout. */
const LEASE_MARGIN_MS = 5_000
/** An attempt with less time than this is not worth starting. */
const SHORTEST_ATTEMPT_MS = 200
const COMMIT_RETRY_MS = 250

/** Who is acting, for the audit. */
export interface Actor {
  id: string
  requestId: string | null
}

export class Operation {
  readonly registration: Registration
  readonly deadline: Deadline
  readonly ports: Ports
  readonly settings: CoreSettings
  readonly directory: Directory
  readonly actor: Actor
  /** A password of ours that the row does not know may exist: look before adding another. */
  mayHaveStrays: boolean
  /** The last Graph write may still land. */
  outcomeUnknown = false
  #lease: Lease
  #waitMs: number
  readonly #pauses: Pauses
  readonly #credentials = new Set<Credential>()
  readonly #uncommittedKeyIds = new Set<string>()
  #audit: AuditEntry[] = []
  #events: ProductEvent[] = []

  constructor (core: Core, held: Held, deadline: Deadline, actor: Actor, options: { resumed: boolean }) {
    const { ports, settings, pauses } = core
    this.registration = held.registration
    this.#lease = held.lease
    this.#waitMs = held.waitMs
    this.#pauses = pauses
    this.deadline = deadline
    this.actor = actor
    this.ports = ports
    this.settings = settings
    this.directory = ports.directories.of(held.registration.providerId)
    this.mayHaveStrays = options.resumed
  }

  /**
   * Makes a Graph call until it succeeds, fails for good, or the deadline is too near. Each attempt has its own signal.
   * @throws DirectoryError of the last attempt, LeaseLostError
   */
  async call<T> (work: (signal: AbortSignal) => Promise<T>, deadline: Deadline = this.deadline): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#waitForTurn(deadline)
        await this.#keepLease()
        const result = await this.#attempt(work, deadline)
        this.outcomeUnknown = false
        return result
      } catch (thrown) {
        if (!(thrown instanceof DirectoryError)) throw thrown
        const error = asSeenAt(this.#ageMs(), thrown)
        this.outcomeUnknown = error.outcomeUnknown
        if (error.fault === 'throttled') this.#pauses.pause(this.registration.providerId, error.retryAfterMs ?? 0)
        const waitMs = waitBeforeRepeat(error, attempt, this.ports.clock.random())
        if (waitMs === null || waitMs + SHORTEST_ATTEMPT_MS > deadline.remainingMs()) throw error
        this.ports.log.debug({ registrationId: this.registration.id, fault: error.fault, waitMs, ...error.diagnostics }, 'Graph call is repeated')
        await this.ports.clock.sleep(waitMs)
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
      detail
    })
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
    await this.#save({ kind: this.outcomeUnknown ? 'abandon' : 'release', dueInMs: waitMs })
  }

  async #save (lease: LeaseDisposition): Promise<void> {
    const held: Held = { registration: this.registration, lease: this.#lease, waitMs: 0 }
    const options = { lease, credentials: [...this.#credentials], events: this.#events, audit: this.#audit }
    if (!await this.#saveThroughOutage(held, options) && !await this.#wasSavedBefore()) {
      await this.#removeUncommitted()
      throw new LeaseLostError()
    }
    this.#credentials.clear()
    this.#uncommittedKeyIds.clear()
    this.#audit = []
    this.#events = []
  }

  // The outcome of a commit whose connection broke is unknown; the same fenced save may run twice, so it is repeated while there is time.
  async #saveThroughOutage (held: Held, options: Parameters<Ports['store']['save']>[1]): Promise<boolean> {
    for (;;) {
      try {
        return await this.ports.store.save(held, options)
      } catch (error) {
        if (!(error instanceof StoreUnavailableError) || this.deadline.remainingMs() < COMMIT_RETRY_MS * 2) throw error
        await this.ports.clock.sleep(COMMIT_RETRY_MS)
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
        this.ports.log.warn({ err: error, registrationId: this.registration.id, keyId }, 'A password of a lost lease could not be removed; it is looked for again as a stray')
      }
    }
  }

  // The tenant's budget and its own wish to be left alone: both are waited for before the call, or not called at all.
  async #waitForTurn (deadline: Deadline): Promise<void> {
    const waitMs = Math.max(this.#waitMs, this.#pauses.remainingMs(this.registration.providerId))
    if (waitMs === 0) return
    if (waitMs + SHORTEST_ATTEMPT_MS > deadline.remainingMs()) {
      throw new DirectoryError('throttled', 'The tenant has no room for this call before the deadline', { retryAfterMs: waitMs })
    }
    await this.ports.clock.sleep(waitMs)
    this.#waitMs = 0
  }

  async #attempt<T> (work: (signal: AbortSignal) => Promise<T>, deadline: Deadline): Promise<T> {
    const controller = new AbortController()
    const timeoutMs = Math.min(this.settings.attemptTimeoutMs, earlier(deadline, SHORTEST_ATTEMPT_MS / 2).remainingMs())
    const timer = setTimeout(() => controller.abort(), timeoutMs)
    try {
      return await work(controller.signal)
    } finally {
      clearTimeout(timer)
    }
  }

  async #keepLease (): Promise<void> {
    const neededMs = this.settings.attemptTimeoutMs + LEASE_MARGIN_MS
    if (this.#lease.expiresAtMs - this.ports.clock.monotonicMs() > neededMs) return
    const renewed = await this.ports.store.renew(this.#lease)
    if (renewed === null) throw new LeaseLostError()
    this.#lease = renewed
  }

  #ageMs (): number {
    return this.ports.clock.now().getTime() - this.registration.createdAt.getTime()
  }
}
