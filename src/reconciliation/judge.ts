// What an application with our tag is, compared with its row: pure, so that every promise about what is left alone can be read here.
import { isEnded, secretLabelPrefix, uniqueNameOf } from '../registration/lifecycle.ts'
import type { TaggedApplication } from '../registration/ports.ts'
import type { Finding, KnownRow, Run, StoredFinding } from './port.ts'
import type { ReconciliationSettings } from './settings.ts'

export const BROKER_TAG = 'dcr-broker'
const INSTALLATION_TAG = 'dcr-inst:'
const REGISTRATION_TAG = 'dcr-reg:'
/** Entra's clocks may be behind ours, and it tells times to the second. */
const CLOCK_SKEW_MS = 5 * 60_000
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Ours: this installation's tag, and the uniqueName that only a create can set. Tags alone are anybody's to write. */
export type Belonging = { registrationId: string } | { installation: string | null }

export function belongingOf ({ tags, uniqueName }: Pick<TaggedApplication, 'tags' | 'uniqueName'>, installationId: string): Belonging {
  const installation = valueOf(tags, INSTALLATION_TAG)
  if (installation !== null && !tags.includes(`${INSTALLATION_TAG}${installationId}`)) return { installation }
  const registrationId = valueOf(tags, REGISTRATION_TAG)
  const isOurs = installation !== null && registrationId !== null && UUID.test(registrationId) && uniqueName === uniqueNameOf(registrationId)
  return isOurs ? { registrationId } : { installation: null }
}

/** A restored database does not know what was made after its backup: newer than its newest row, or than what its latest run has seen. */
export function isNewerThanDatabase (application: Pick<TaggedApplication, 'createdAt'>, { newestRowAt, lookedAt, releasedAt }: Run): boolean {
  if (releasedAt !== null && application.createdAt <= releasedAt) return false
  const isAfter = (time: Date): boolean => application.createdAt.getTime() > time.getTime() - CLOCK_SKEW_MS
  return newestRowAt === null || isAfter(newestRowAt) || (lookedAt !== null && isAfter(lookedAt))
}

/** The findings about an application of ours. `row` null: there is none. */
export function judge (
  application: TaggedApplication, registrationId: string, row: KnownRow | null, now: Date, settings: ReconciliationSettings
): Finding[] {
  const isYoung = (time: Date): boolean => now.getTime() - time.getTime() < settings.minAgeMs
  const { clientId, objectId, displayName, createdAt } = application
  const found = (kind: Finding['kind'], count = 1): Finding => ({ kind, clientId, objectId, registrationId, displayName, appearedAt: createdAt, count })
  if (isYoung(createdAt)) return []
  if (row === null) return [found('unknown_application')]
  if (isEnded(row)) {
    const isSwept = row.sweeps >= settings.sweepLooks && !row.isPurgeDue && !row.isAdopted
    return isSwept && row.id === registrationId ? [found('late_create')] : []
  }
  if ((row.state !== 'active' && row.state !== 'disabled') || row.objectId !== objectId) return []
  const strays = { stray_password: 0, unknown_password: 0 }
  for (const password of application.passwords) {
    if (!isYoung(password.startsAt)) count(strays, strayKindOf(password, row))
  }
  return (['stray_password', 'unknown_password'] as const).filter(kind => strays[kind] > 0).map(kind => found(kind, strays[kind]))
}

/** Seen so often, and over such a time, that it is no lag. */
export function isConfirmed ({ firstSeenAt, looks }: Pick<StoredFinding, 'firstSeenAt' | 'looks'>, now: Date, { secondLookMs }: ReconciliationSettings): boolean {
  return looks >= 2 && now.getTime() - firstSeenAt.getTime() >= secondLookMs
}

// A credential is committed before its addPassword: one that no row has ever known is of a database that was lost, and its secret may be in use.
function strayKindOf ({ label, keyId }: TaggedApplication['passwords'][number], row: KnownRow): 'stray_password' | 'unknown_password' | null {
  const prefix = secretLabelPrefix(row.id)
  if (label === null || !label.startsWith(prefix)) return null
  const living = row.credentials.filter(({ state }) => state !== 'revoked' && state !== 'lost')
  // One that is being made has no keyId yet.
  if (living.some(credential => credential.keyId === keyId || credential.state === 'pending')) return null
  return row.credentials.some(({ id }) => label === `${prefix}${id}`) ? 'stray_password' : 'unknown_password'
}

function count<Name extends string> (counts: Record<Name, number>, name: Name | null): void {
  if (name !== null) counts[name] += 1
}

function valueOf (tags: readonly string[], prefix: string): string | null {
  return tags.find(tag => tag.startsWith(prefix))?.slice(prefix.length) ?? null
}
