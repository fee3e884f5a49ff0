// The broker's Graph token: asked for once at a time, renewed ahead of its end, kept while it is valid whatever happens to the renewal.
import { DirectoryError } from '../registration/ports.ts'
import type { AccessToken } from './token-request.ts'

/** A token this close to its end is not handed out: the call it is for must still arrive. A short-lived one: the last tenth. */
const expiryMarginMs = 60_000
/** Renewal ahead of the end when Entra names no time of its own. A short-lived one: half its life. */
const renewalLeadMs = 5 * 60_000
/** Pause between renewals while the old token is still good. */
const renewalPauseMs = 10_000
/** A longer Retry-After than this is asked again anyway. */
const longestQuietMs = 5 * 60_000

export interface BrokerTokenHealth {
  state: 'untried' | 'accepted' | 'failing'
  /** Why it is failing: a sentence for the operator, without secrets. */
  reason: string | null
  fault: DirectoryError['fault'] | null
}

export interface BrokerToken {
  /** A token that is valid now. Throws DirectoryError; gives up waiting when `signal` aborts. */
  get (signal: AbortSignal): Promise<string>
  /** Graph refused this token: the next get() asks for another. A token that has been replaced already is left alone. */
  invalidate (token: string): void
  health (): BrokerTokenHealth
}

/** `request` makes one attempt and is bounded by `attemptTimeoutMs`, not by the deadline of whoever happened to come first. */
export function createBrokerToken (
  request: (signal: AbortSignal) => Promise<AccessToken>, attemptTimeoutMs: number, now: () => number = Date.now
): BrokerToken {
  let current: KeptToken | undefined
  let flight: Promise<KeptToken> | undefined
  let failure: DirectoryError | undefined
  let quietUntilMs = 0

  async function attempt (): Promise<KeptToken> {
    try {
      current = keep(await request(AbortSignal.timeout(attemptTimeoutMs)), now())
      failure = undefined
      quietUntilMs = now() + renewalPauseMs
      return current
    } catch (error) {
      failure = asDirectoryError(error)
      quietUntilMs = now() + Math.min(failure.retryAfterMs ?? renewalPauseMs, longestQuietMs)
      throw failure
    } finally {
      flight = undefined
    }
  }

  async function renew (): Promise<KeptToken> {
    flight ??= attempt()
    return await flight
  }

  return {
    async get (signal) {
      if (current !== undefined && now() < current.usableUntilMs) {
        const { value, renewAtMs } = current
        // A failure changes nothing for this caller, whose token is good; health() tells of it.
        if (now() >= Math.max(renewAtMs, quietUntilMs)) renew().catch(() => undefined)
        return value
      }
      current = undefined
      if (failure?.retryAfterMs !== undefined && now() < quietUntilMs) throw stillQuiet(failure, quietUntilMs - now())
      return (await untilAborted(renew(), signal)).value
    },
    invalidate (token) {
      if (current?.value === token) current = undefined
    },
    health: () => ({
      state: failure !== undefined ? 'failing' : current === undefined ? 'untried' : 'accepted',
      reason: failure?.message ?? null,
      fault: failure?.fault ?? null
    })
  }
}

interface KeptToken {
  value: string
  usableUntilMs: number
  renewAtMs: number
}

function keep ({ value, expiresAtMs, refreshAtMs }: AccessToken, nowMs: number): KeptToken {
  const lifeMs = expiresAtMs - nowMs
  return {
    value,
    usableUntilMs: expiresAtMs - Math.min(expiryMarginMs, lifeMs / 10),
    renewAtMs: refreshAtMs ?? expiresAtMs - Math.min(renewalLeadMs, lifeMs / 2)
  }
}

function stillQuiet (failure: DirectoryError, remainingMs: number): DirectoryError {
  return new DirectoryError('throttled', failure.message, {
    cause: failure, retryAfterMs: remainingMs, diagnostics: { ...failure.diagnostics }
  })
}

function asDirectoryError (error: unknown): DirectoryError {
  return error instanceof DirectoryError ? error : new DirectoryError('unavailable', 'the broker\'s own token could not be asked for', { cause: error })
}

/** The shared request goes on; only this caller stops waiting for it. Nothing of the caller's has been sent by then. */
async function untilAborted<T> (promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const giveUp = (): void => reject(new DirectoryError('unavailable', 'gave up waiting for the broker\'s own token', {
      diagnostics: { reason: 'ABORTED' }
    }))
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
