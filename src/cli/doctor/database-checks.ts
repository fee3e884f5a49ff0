// The database, as the broker will find it: there, new enough, at this release's schema, open for writing, with the right time.
import { countOperatorKeys, inspectDatabase, listOwnCredentials } from '../../store/database-inspection.ts'
import { migrationStatus } from '../../store/migrations.ts'
import type { PrismaClient } from '../../store/prisma-client.ts'
import { clockFinding, failed, fine, messageOf, warning, type Finding } from './finding.ts'

/** PostgreSQL 14: the oldest release its makers still mend. */
const OLDEST_VERSION = 140_000
const DAY_MS = 86_400_000

/** Whether it can be worked on at all, and with which rights. */
export async function checkDatabase (prisma: PrismaClient): Promise<Finding[]> {
  const { versionNumber, version, isStandby, isSuperuser, clockAheadMs, missingRights } = await inspectDatabase(prisma)
  return [
    versionNumber < OLDEST_VERSION
      ? failed('database', `PostgreSQL ${version} is too old.`, `Use PostgreSQL ${OLDEST_VERSION / 10_000} or later.`)
      : fine('database', `PostgreSQL ${version} answers.`),
    ...(isStandby ? [failed('database', 'It is a standby and takes no writes.', 'Let DATABASE_URL name the primary (target_session_attrs=read-write).')] : []),
    ...(isSuperuser
      ? [warning('database', 'The broker\'s database user is a superuser: nothing can keep it from changing the audit.', 'Give it a user of its own that owns only this database.')]
      : []),
    missingRights.length > 0
      ? failed('database', `The database user lacks rights: ${missingRights.slice(0, 5).join(', ')}${missingRights.length > 5 ? ' and more' : ''}.`,
        'Grant SELECT, INSERT and UPDATE on the tables to it, or let it own them.')
      : fine('database', 'The database user has the rights it needs.'),
    clockFinding('database', 'PostgreSQL', clockAheadMs)
  ]
}

/** An empty database is one with everything pending. */
export async function checkMigrations (url: string, signal: AbortSignal): Promise<Finding[]> {
  const { pending, failed: broken, changed, unknown } = await migrationStatus(url, { signal })
  const findings = [
    ...(broken.length > 0
      ? [failed('migrations', `A migration has failed: ${broken.join(', ')}.`, `Remove the cause, then dcr-broker migrate --rolled-back ${broken[0]} and dcr-broker migrate.`)]
      : []),
    ...(changed.length > 0
      ? [failed('migrations', `Applied with another content than this release has: ${changed.join(', ')}.`, 'Run the release that the database belongs to.')]
      : []),
    ...(pending.length > 0 ? [failed('migrations', `Not applied yet: ${pending.join(', ')}.`, 'Run dcr-broker migrate.')] : []),
    ...(unknown.length > 0
      ? [warning('migrations', `The database has migrations of another release: ${unknown.join(', ')}.`, 'Nothing, if a newer release runs beside this one.')]
      : [])
  ]
  return findings.length > 0 ? findings : [fine('migrations', 'The database is at this release\'s schema.')]
}

/** Who may operate it. `configured`: operator keys of the environment. */
export async function checkOperators (prisma: PrismaClient, configured: number): Promise<Finding[]> {
  const count = configured + await countOperatorKeys(prisma)
  return [count > 0
    ? fine('callers', `${count === 1 ? 'One operator key' : `${count} operator keys`} may change things.`)
    : warning('callers', 'Nobody can use the operations API: there is no operator key.', 'Set ADMIN_API_KEYS to a random text of at least 24 characters, or go on with the CLI.')]
}

/** When the broker will no longer be able to prove itself. */
export async function checkOwnCredentials (prisma: PrismaClient, now: Date): Promise<Finding[]> {
  return (await listOwnCredentials(prisma)).flatMap(({ provider, expiresAt }) => {
    if (expiresAt === null) return []
    const days = Math.floor((expiresAt.getTime() - now.getTime()) / DAY_MS)
    const advice = 'Add another credential to the provider, verify it, make it the active one.'
    if (days < 0) return [failed('tenant', `The broker's credential for ${provider} has expired.`, advice)]
    return [days < 30 ? warning('tenant', `The broker's credential for ${provider} ends in ${days} days.`, advice) : fine('tenant', `The broker's credential for ${provider} is valid for ${days} days.`)]
  })
}

/** For a database that can't be asked. */
export function unreachable (error: unknown): Finding {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const text = messageOf(cause)
  // Prisma wraps the words of the driver in a sentence about the call.
  const reason = /Message: `(.*)`\.?$/.exec(text)?.[1] ?? text
  return failed('database', `It can't be used: ${reason.trim().replace(/\.$/, '')}.`, 'Check DATABASE_URL, the network and the server; the password is not shown here.')
}
