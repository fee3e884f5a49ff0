// One operation on one registration: its lease, its deadline, what it changed so far and how that is committed.
import type { Actor, Core } from './core.ts'
import type { Deadline } from './deadline.ts'
import { DirectoryCalls } from './directory-calls.ts'
import { LeaseLostError } from './errors.ts'
import { dueInMs } from './lifecycle.ts'
import { StoreUnavailableError, type Directory, type Held, type Lease, type LeaseDisposition, type Ports, type SaveOptions } from './ports.ts'
import type { AuditEntry, Credential, ProductEvent, Registration } from './registration.ts'
import type { CoreSettings } from './settings.ts'
import type { Turn } from './traffic/turn.ts'

/** What a Graph call must leave of the lease beside its own attempt timeout. */
const LEASE_MARGIN_MS = 5_000
const COMMIT_RETRY_MS = 250

export interface OperationOptions {
  /** A password of ours that the row does not know may exist. */
  resumed: boolean
  /** The turn of its first writes, asked for already. */
  turn?: Turn
  /** Ends waiting early: the process is going down. */
  signal?: AbortSignal
  /** Somebody changes the client: his success is in the audit, and with that commit answers to idempotency keys about it are void. */
  voidsAnswers?: SaveOptions['voidsAnswers']
}

export class Operation {
  readonly registration: Registration
  readonly deadline: Deadline
  readonly ports: Ports
  readonly settings: CoreSettings
  readonly actor: Actor
  /** A password of ours that the row does not know may exist: look before adding another. */
  mayHaveStrays: boolean
  readonly #calls: DirectoryCalls
  readonly #signal: AbortSignal | undefined
  #lease: Lease
  readonly #credentials = new Set<Credential>()
  readonly #uncommittedKeyIds = new Set<string>()
  #audit: AuditEntry[] = []
  #events: ProductEvent[] = []
  #managementToken: SaveOptions['managementToken']
  readonly #voidsAnswers: SaveOptions['voidsAnswers']

  constructor (core: Pick<Core, 'ports' | 'settings' | 'traffic'>, held: Held, deadline: Deadline, actor: Actor, options: OperationOptions) {
    const { ports, settings } = core
    this.registration = held.registration
    this.ports = ports
    this.settings = settings
    this.actor = actor
    this.#lease = held.lease
    this.#signal = options.signal
    this.#voidsAnswers = options.voidsAnswers
    this.deadline = { remainingMs: () => this.isInterrupted ? 0 : deadline.remainingMs() }
    this.mayHaveStrays = options.resumed
    this.#calls = new DirectoryCalls(core, this, { turn: options.turn, signal: options.signal, keepLease: async () => await this.#keepLease() })
  }

  /** The tenant. Throws DirectoryError while it can't be reached at all. */
  get directory (): Directory {
    return this.ports.directories.of(this.registration.providerId)
  }

  /** The process is going down: no more attempts are made. */
  get isInterrupted (): boolean {
    return this.#signal?.aborted === true
  }

  /** Makes a Graph call that changes something: see DirectoryCalls. */
  async write<T> (work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return await this.#calls.write(work)
  }

  /** Makes a Graph call: see DirectoryCalls. */
  async call<T> (work: (signal: AbortSignal) => Promise<T>, deadline: Deadline = this.deadline): Promise<T> {
    return await this.#calls.call(work, deadline)
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
    await this.#save({ kind: this.#calls.mayStillLand ? 'abandon' : 'release', dueInMs: waitMs })
  }

  async #save (lease: LeaseDisposition): Promise<void> {
    if (lease.kind !== 'keep') this.#calls.end()
    const held: Held = { registration: this.registration, lease: this.#lease }
    const options = {
      lease,
      credentials: [...this.#credentials],
      events: this.#events,
      audit: this.#audit,
      managementToken: this.#managementToken,
      voidsAnswers: this.#audit.some(({ outcome }) => outcome === 'succeeded') ? this.#voidsAnswers : undefined
    }
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
        await this.#calls.attempt(signal => this.directory.revokeSecret(objectId, keyId, signal), { remainingMs: () => this.settings.attemptTimeoutMs })
      } catch (error) {
        this.ports.log.warn({ err: error, registrationId: this.registration.id, keyId }, 'A password of a lost lease could not be removed')
      }
    }
  }

  async #keepLease (): Promise<void> {
    const neededMs = this.settings.attemptTimeoutMs + LEASE_MARGIN_MS
    if (this.#lease.expiresAtMs - this.ports.clock.monotonicMs() > neededMs) return
    const renewed = await this.ports.store.renew(this.#lease)
    if (renewed === null) {
      this.#calls.end()
      throw new LeaseLostError()
    }
    this.#lease = renewed
  }

  async #sleep (ms: number): Promise<void> {
    await this.ports.clock.sleep(ms, this.#signal)
  }
}
