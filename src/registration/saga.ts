// Runs a registration from where it is to where it wants to be: next step, next step, one commit at the end.
import { LeaseLostError } from './errors.ts'
import { isPermanent, waitBeforeResume } from './failures.ts'
import { isBeingMade, isGone, nextStep } from './lifecycle.ts'
import { seenApplication } from './seen-application.ts'
import type { Operation } from './operation.ts'
import { DirectoryError } from './ports.ts'
import { steps } from './steps.ts'

/**
 * Runs until nothing is left to do and commits. What fails for good is undone (a registration in the making) or left to
 * the operator; what takes too long is handed over. Either way the error says what happened.
 * @throws DirectoryError, StoreUnavailableError, VaultError, LeaseLostError
 */
export async function run (operation: Operation): Promise<void> {
  const { registration, ports, settings } = operation
  await stopOnError(operation, async () => {
    for (;;) {
      const step = nextStep(registration, ports.clock.now(), settings)
      if (step === null) break
      const resumeInMs = await steps[step](operation)
      if (resumeInMs !== undefined) return await finishRun(operation, () => operation.handOver(resumeInMs))
    }
    await finishRun(operation, () => operation.release())
  })
}

async function finishRun (operation: Operation, commit: () => Promise<void>): Promise<void> {
  operation.registration.attempts = 0
  operation.registration.lastFault = null
  await commit()
}

/** Work outside the steps, under the same rule: where it fails, the reached state is committed and the lease given back. */
export async function stopOnError<T> (operation: Operation, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof LeaseLostError) throw error
    throw await stop(operation, error)
  }
}

/** Resolves to the error as it stands after a second look. That the process ends is no failure of the registration: the next replica begins at once. */
async function stop (operation: Operation, error: unknown): Promise<unknown> {
  const { registration, ports } = operation
  const cause = await lookAgain(operation, error)
  const failed = isBeingMade(registration) && cause instanceof DirectoryError && isPermanent(cause)
  if (operation.isInterrupted && !failed) {
    ports.log.info({ registrationId: registration.id, state: registration.state }, 'The process ends; a run is left to another')
    await handOver(operation, retryAfterMs(cause))
    return cause
  }
  const fault = cause instanceof DirectoryError ? cause.fault : 'internal'
  // A tenant that throttles says nothing about the registration: it goes on when the pause is over, however often that was so.
  if (fault !== 'throttled') registration.attempts += 1
  registration.lastFault = fault
  if (failed) registration.state = 'undoing'
  operation.note('registration.stopped', 'failed', { state: registration.state, fault })
  ports.log.warn({ err: cause, registrationId: registration.id, state: registration.state, fault }, 'A run stopped before its end')
  const waitMs = failed ? 0 : Math.max(retryAfterMs(cause), waitBeforeResume(Math.max(0, registration.attempts - 1), ports.clock.random()))
  await handOver(operation, waitMs)
  return cause
}

async function handOver (operation: Operation, waitMs: number): Promise<void> {
  try {
    await operation.handOver(waitMs)
  } catch (handOverError) {
    // The lease ends by itself and the row is claimed then; what was reached is found again.
    operation.ports.log.warn({ err: handOverError, registrationId: operation.registration.id }, 'A stopped run could not be handed over')
  }
}

/** Reads go backwards in Entra: "missing" by object id is believed, and the client drifted, only when it is not found by its name either. */
async function lookAgain (operation: Operation, error: unknown): Promise<unknown> {
  const { registration } = operation
  if (!(error instanceof DirectoryError) || error.fault !== 'missing' || isBeingMade(registration) || isGone(registration)) return error
  const notSeen = new DirectoryError('replicating', error.message, { cause: error, diagnostics: error.diagnostics })
  try {
    if (await seenApplication(operation) !== null) return notSeen
  } catch (lookError) {
    if (lookError instanceof DirectoryError) return notSeen
    return lookError
  }
  registration.state = 'drifted'
  operation.note('registration.drifted', 'failed')
  return error
}

function retryAfterMs (error: unknown): number {
  return error instanceof DirectoryError ? error.retryAfterMs ?? 0 : 0
}
