// The second half of a run: what was found is looked at once more under the lease of its row, and then changed.
import { LeaseLostError } from '../registration/errors.ts'
import { isEnded } from '../registration/lifecycle.ts'
import { Operation } from '../registration/operation.ts'
import { DirectoryError } from '../registration/ports.ts'
import type { Registration } from '../registration/registration.ts'
import { stopOnError } from '../registration/saga.ts'
import { removeStrays } from '../registration/secrets.ts'
import { seenApplication } from '../registration/seen-application.ts'
import { removeLate } from '../registration/steps.ts'
import { backgroundDeadline } from './attempts.ts'
import { isConfirmed } from './judge.ts'
import type { Looking } from './look.ts'
import type { FindingKind, StoredFinding } from './port.ts'

const BATCH = 100
/** Of each kind; the next run goes on with the rest. */
const MOST_PER_RUN = 500

/** Throws what stops the whole run: a tenant that can't be reached now. */
export async function act (looking: Looking): Promise<void> {
  const { report, tools, settings } = looking
  report.removed = await actOn(looking, 'late_create', removeLateCreate)
  report.drifted = await actOn(looking, 'application_missing', async (operation, finding) =>
    isConfirmed(finding, tools.ports.clock.now(), settings) && await markDrifted(operation))
  report.straysRemoved = await actOn(looking, 'stray_password', removeStrayPasswords)
}

type Act = (operation: Operation, finding: StoredFinding) => Promise<boolean>

/** Resolves to how many were changed. */
async function actOn (looking: Looking, kind: FindingKind, work: Act): Promise<number> {
  const { store, run: { providerId } } = looking
  let [after, changed]: [string | null, number] = [null, 0]
  for (let acted = 0; acted < MOST_PER_RUN;) {
    const findings: StoredFinding[] = await store.findings(providerId, kind, after, BATCH)
    for (const finding of findings) {
      await looking.keep()
      if (!await underLease(looking, finding, work)) continue
      changed += 1
      await store.settle(providerId, kind, finding.clientId)
    }
    acted += findings.length
    after = findings.at(-1)?.clientId ?? null
    if (findings.length < BATCH) break
  }
  return changed
}

async function underLease ({ tools, run }: Looking, finding: StoredFinding, work: Act): Promise<boolean> {
  const { store, log } = tools.ports
  const held = await store.acquire(finding.registrationId)
  // Somebody works on it: the next run comes by again.
  if (held === null) return false
  const operation = new Operation(tools, held, backgroundDeadline(tools), { id: 'broker', requestId: null }, { resumed: false })
  if (operation.registration.providerId !== run.providerId) {
    await operation.release()
    return false
  }
  try {
    return await stopOnError(operation, async () => {
      const isChanged = await work(operation, finding)
      await operation.release()
      return isChanged
    })
  } catch (error) {
    if (error instanceof LeaseLostError) return false
    if (!(error instanceof DirectoryError) || isOfTheTenant(error)) throw error
    log.warn({ err: error, registrationId: finding.registrationId, kind: finding.kind }, 'A finding could not be worked on')
    return false
  }
}

// What the next finding would meet too. Denied is one application: somebody has taken it from the broker.
function isOfTheTenant ({ fault }: DirectoryError): boolean {
  return ['throttled', 'unavailable', 'unauthenticated'].includes(fault)
}

async function removeLateCreate (operation: Operation): Promise<boolean> {
  return isEnded(operation.registration) && operation.registration.adoptedAt === null && await removeLate(operation)
}

async function markDrifted (operation: Operation): Promise<boolean> {
  const { registration } = operation
  if (!isLiving(registration)) return false
  const seen = await seenApplication(operation)
  if (seen !== null && seen.objectId === registration.objectId) return false
  registration.state = 'drifted'
  operation.note('registration.drifted', 'failed', { client_id: registration.clientId })
  return true
}

async function removeStrayPasswords (operation: Operation): Promise<boolean> {
  if (!isLiving(operation.registration)) return false
  await removeStrays(operation)
  return true
}

function isLiving ({ state }: Pick<Registration, 'state'>): boolean {
  return state === 'active' || state === 'disabled'
}
