// Use cases of `Idempotency-Key`: a request begins, is given again, or is refused; and what is kept of its answer.
import { toRegistrationError } from '../registration/failures.ts'
import { StoreUnavailableError, type Clock, type DeliveryStore, type Log, type SealedPlace, type Vault } from '../registration/ports.ts'
import { inFlight, keyReused, voided } from './refusals.ts'
import type { FoundRecord, IdempotencyStore, Turn } from './idempotency-port.ts'

const RETENTION_MS = 24 * 3_600_000
/** Records that change under our eyes are looked at so often before the caller is asked to come again. */
const MAX_LOOKS = 5
/** However late it is, keeping the answer gets so long. */
const SHORTEST_WAIT_MS = 200
const ERASE_BATCH = 1_000

export interface KeyedRequest {
  callerId: string
  operation: string
  key: string
  /** Everything else that decides what the request does, as text. */
  payload: string
  /** `new`: it makes one. Else the id of the registration it changes; null: it has nothing to do with registrations. */
  registration: 'new' | { id: string } | null
  /** Longer than the request can last: who finds it in flight after that knows that it has died. */
  leaseMs: number
  /** Of the request, in milliseconds. */
  remainingMs: number
}

/** A request that goes on, and how it is ended. */
export interface OpenRequest extends Turn {
  /** The registration it has to make, or changes. Whoever makes another thing says so here, and it is kept with the answer. */
  resourceId: string | null
  /** An earlier request with the key has died or was answered 5xx: the registration may be there. */
  isResumed: boolean
}

export interface KeptAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  body: string
}

export type Begun =
  | { kind: 'open', request: OpenRequest }
  | { kind: 'repeated', answer: KeptAnswer, resourceId: string | null }

export interface IdempotentRequests {
  /** @throws RegistrationError key_in_flight, key_reused, answer_void, temporarily_unavailable, credential_unreadable */
  begin (request: KeyedRequest): Promise<Begun>
  /** Keeps a success, lets go of what may have begun, forgets what did not. Never rejects, and waits `remainingMs` at most. */
  end (request: OpenRequest, answer: KeptAnswer | { status: number, body: null }, remainingMs: number): Promise<void>
  /** One round: erases the records whose time is over. */
  erase (signal: AbortSignal): Promise<{ erased: number }>
}

export interface IdempotencyParts {
  store: IdempotencyStore
  deliveries: Pick<DeliveryStore, 'extendWindow'>
  vault: Pick<Vault, 'seal' | 'open' | 'verifierOf' | 'isSecretOf' | 'digestOf'>
  clock: Pick<Clock, 'uuid' | 'sleep'>
  log: Pick<Log, 'warn'>
}

export function createIdempotentRequests ({ store, deliveries, vault, clock, log }: IdempotencyParts): IdempotentRequests {
  async function begin (request: KeyedRequest): Promise<Begun> {
    const { callerId, operation, key, payload, leaseMs } = request
    for (let look = 0; look < MAX_LOOKS; look++) {
      const id = clock.uuid()
      const resourceId = request.registration === 'new' ? clock.uuid() : request.registration?.id ?? null
      const digests = { keyDigest: vault.digestOf(key), payload: vault.verifierOf(subjectOf(id), payload) }
      const found = await store.open({ id, callerId, operation, ...digests, resourceId, leaseMs, retentionMs: RETENTION_MS })
      if (found === null) return { kind: 'open', request: { id, attempt: 1, resourceId, isResumed: false } }
      if (found === 'busy') continue
      if (!vault.isSecretOf(subjectOf(found.id), payload, found.payload)) throw keyReused()
      const begun = await again(found, request.registration === 'new' ? resourceId : null, leaseMs)
      if (begun !== null) return begun
    }
    throw inFlight()
  }

  /** What comes of a record that is there. Null: it has changed meanwhile. @param freshId of a registration, where one is to be made */
  async function again (found: FoundRecord, freshId: string | null, leaseMs: number): Promise<Begun | null> {
    const { state, isLapsed, registrationState, resourceId } = found
    if (state === 'void') throw voided()
    if (state === 'in_flight' && !isLapsed) throw inFlight()
    // What was taken back is made anew, under an id that Entra has not seen.
    if (freshId !== null && isUndone(found)) return await taken(found, freshId, false, leaseMs)
    if (state === 'in_flight') {
      if (freshId !== null && registrationState !== null && !isToBeAnswered(found)) throw voided()
      return await taken(found, resourceId, true, leaseMs)
    }
    if (registrationState !== found.answeredState || found.answer === null) throw voided()
    // Nobody has received it yet: it must not be undone under the feet of who receives it now.
    if (found.isUndelivered && resourceId !== null && !await deliveries.extendWindow(resourceId)) return null
    const { status, sealed } = found.answer
    return { kind: 'repeated', answer: { status, ...JSON.parse(await vault.open(sealed, placeOf(found.id))) }, resourceId }
  }

  async function taken (found: FoundRecord, resourceId: string | null, isResumed: boolean, leaseMs: number): Promise<Begun | null> {
    if (!await store.takeOver(found, resourceId, leaseMs)) return null
    return { kind: 'open', request: { id: found.id, attempt: found.attempt + 1, resourceId, isResumed } }
  }

  async function end (request: OpenRequest, answer: KeptAnswer | { status: number, body: null }): Promise<void> {
    const { status, body } = answer
    if (status < 300 && body !== null) {
      const sealed = await vault.seal(JSON.stringify({ headers: answer.headers, body }), placeOf(request.id))
      await store.keep(request, { status, sealed }, request.resourceId, RETENTION_MS)
    } else if (status < 500 && status >= 400 && !request.isResumed) {
      await store.forget(request)
    } else {
      await store.letGo(request)
    }
  }

  /** Undefined when the time is up first: the work goes on. */
  async function within<T> (ms: number, work: Promise<T>): Promise<T | undefined> {
    const over = new AbortController()
    try {
      return await Promise.race([work, clock.sleep(ms, over.signal).then(() => undefined)])
    } finally {
      over.abort('done')
    }
  }

  return {
    async begin (request) {
      const begun = await within(request.remainingMs, begin(request).catch((error: unknown) => { throw toRegistrationError(error) }))
      if (begun === undefined) throw toRegistrationError(new StoreUnavailableError('The record of the key did not come in time'))
      return begun
    },
    async end (request, answer, remainingMs) {
      // The answer is certain; without its record a repeat finds the key in flight until the lease is over, and then what was made.
      const ended = end(request, answer).catch((error: unknown) => log.warn({ err: error }, 'The answer to an idempotency key could not be kept'))
      await within(Math.max(SHORTEST_WAIT_MS, remainingMs), ended)
    },
    async erase (signal) {
      let erased = 0
      for (let full = true; full && !signal.aborted;) {
        const count = await store.eraseExpired(ERASE_BATCH)
        erased += count
        full = count === ERASE_BATCH
      }
      return { erased }
    }
  }
}

const isUndone = ({ registrationState }: FoundRecord) => registrationState === 'undone' || registrationState === 'undoing'

/** It is being made, or nobody has changed it since it was made. */
function isToBeAnswered ({ registrationState }: FoundRecord): boolean {
  return ['reserved', 'application_created', 'principal_created', 'secret_issued', 'active'].includes(registrationState ?? '')
}

function placeOf (recordId: string): SealedPlace {
  return { table: 'idempotency_record', rowId: recordId, column: 'answer' }
}

/** What the HMAC over a payload is bound to: no verifier of a client's secret is one of these. */
function subjectOf (recordId: string): string {
  return `idempotency:${recordId}`
}
