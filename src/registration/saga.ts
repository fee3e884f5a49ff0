// Runs a registration from where it is to where it wants to be: next step, next step, one commit at the end.
import { LeaseLostError } from './errors.ts'
import { isPermanent, waitBeforeResume } from './failures.ts'
import { isBeingMade, isGone, nextStep, uniqueNameOf } from './lifecycle.ts'
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
    await stop(operation, error)
    throw error
  }
}

async function stop (operation: Operation, error: unknown): Promise<void> {
  if (error instanceof LeaseLostError) return
  const { registration, ports } = operation
  const fault = error instanceof DirectoryError ? error.fault : 'internal'
  try {
    registration.attempts += 1
    registration.lastFault = fault
    if (fault === 'missing' && !isBeingMade(registration) && !isGone(registration)) await markDriftedIfGone(operation)
    const failed = isBeingMade(registration) && error instanceof DirectoryError && isPermanent(error)
    if (failed) registration.state = 'undoing'
    operation.note('registration.stopped', 'failed', { state: registration.state, fault })
    ports.log.warn({ err: error, registrationId: registration.id, state: registration.state, fault }, 'A run stopped before its end')
    await operation.handOver(failed ? 0 : Math.max(retryAfterMs(error), waitBeforeResume(registration.attempts - 1, ports.clock.random())))
  } catch (handOverError) {
    // The lease ends by itself and the row is claimed then; what was reached is found again.
    ports.log.warn({ err: handOverError, registrationId: registration.id }, 'A stopped run could not be handed over')
  }
}

/** Reads go backwards in Entra: "missing" by object id is believed only when the name is not found either. */
async function markDriftedIfGone (operation: Operation): Promise<void> {
  const { registration, directory } = operation
  const found = await operation.call(signal => directory.findApplication(uniqueNameOf(registration.id), signal))
  if (found !== null) return
  registration.state = 'drifted'
  operation.note('registration.drifted', 'failed')
}

function retryAfterMs (error: unknown): number {
  return error instanceof DirectoryError ? error.retryAfterMs ?? 0 : 0
}
