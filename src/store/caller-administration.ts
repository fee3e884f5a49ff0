// Callers as operators make, list and revoke them.
import { v7 as uuidv7 } from 'uuid'
import type { CallerKind } from '../registration/registration.ts'
import { AdministrationError } from '../administration/errors.ts'
import type { Operator } from '../administration/operator.ts'
import { audited, providerNamed } from './administration.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

export interface NewInitialAccessToken {
  name: string
  /** SHA-256 of the token. */
  digest: Uint8Array
  providerName: string
  /** Null: the policy `default`. */
  policyName: string | null
  scopes: string[]
  /** Null: no limit. */
  maxRegistrations: number | null
  /** From now, on PostgreSQL's clock; null: never. */
  expiresInMs: number | null
}

export interface CallerSummary {
  id: string
  kind: string
  name: string
  origin: string
  providerName: string | null
  policyName: string | null
  scopes: string[]
  maxRegistrations: number | null
  /** Ever made by it. */
  registrations: number
  createdAt: Date
  expiresAt: Date | null
  revokedAt: Date | null
  lastUsedAt: Date | null
}

const INITIAL_ACCESS_TOKEN: CallerKind = 'initial_access_token'
const ANONYMOUS: CallerKind = 'anonymous'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

const relations = { provider: { select: { name: true } }, policy: { select: { name: true } }, _count: { select: { registrations: true } } } as const

/** @throws AdministrationError for an unknown provider or policy, and for a name that a living caller has; StoreUnavailableError */
export async function addInitialAccessToken (prisma: PrismaClient, by: Operator, token: NewInitialAccessToken): Promise<CallerSummary> {
  return await guarded(async () => {
    const { name, scopes, maxRegistrations } = token
    const provider = await providerNamed(prisma, token.providerName)
    const policyId = token.policyName === null ? null : await policyNamed(prisma, token.policyName)
    if (await prisma.caller.count({ where: { name, revokedAt: null } }) > 0) throw new AdministrationError(`There is a caller of the name ${name} already.`)
    const id = uuidv7()
    const [row] = await prisma.$transaction([
      prisma.caller.create({
        data: {
          id,
          kind: INITIAL_ACCESS_TOKEN,
          name,
          origin: 'database',
          keyDigest: Buffer.from(token.digest),
          scopes,
          providerId: provider.id,
          policyId,
          maxRegistrations,
          expiresAt: token.expiresInMs === null ? null : new Date(await databaseNowMs(prisma) + token.expiresInMs)
        },
        include: relations
      }),
      audited(prisma, by, 'caller.created', provider.id, { caller: id, kind: INITIAL_ACCESS_TOKEN, name })
    ])
    return summaryOf(row)
  })
}

/** All callers, oldest first. */
export async function listCallers (prisma: PrismaClient): Promise<CallerSummary[]> {
  const rows = await guarded(() => prisma.caller.findMany({ include: relations, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] }))
  return rows.map(summaryOf)
}

/**
 * Revokes the caller with this id, or the living one with this name. Its registrations stay.
 *
 * @returns the caller, and whether it was revoked before
 * @throws AdministrationError when there is none, or more than one of the name; StoreUnavailableError
 */
export async function revokeCaller (prisma: PrismaClient, by: Operator, idOrName: string): Promise<{ caller: CallerSummary, wasRevoked: boolean }> {
  return await guarded(async () => {
    const known = await theCaller(prisma, idOrName)
    if (known.kind === ANONYMOUS) throw new AdministrationError('Open registration has no key to revoke: set REGISTRATION_MODE to token or disabled.')
    if (known.revokedAt !== null) return { caller: summaryOf(known), wasRevoked: true }
    const [row] = await prisma.$transaction([
      prisma.caller.update({ where: { id: known.id }, data: { revokedAt: new Date() }, include: relations }),
      audited(prisma, by, 'caller.revoked', known.providerId, { caller: known.id, kind: known.kind, name: known.name })
    ])
    return { caller: summaryOf(row), wasRevoked: false }
  })
}

/**
 * Binds a living caller to a policy, a quota or both; what is not given stays. Clients that it has made keep their policy.
 *
 * @throws AdministrationError when there is none, it is revoked, or for an unknown policy; StoreUnavailableError
 */
export async function bindCaller (
  prisma: PrismaClient, by: Operator, idOrName: string, { policyName, maxRegistrations }: { policyName?: string, maxRegistrations?: number }
): Promise<CallerSummary> {
  return await guarded(async () => {
    const known = await theCaller(prisma, idOrName)
    if (known.revokedAt !== null) throw new AdministrationError(`${known.name} is revoked.`)
    if (known.kind === ANONYMOUS) throw new AdministrationError('Open registration is bound by the policy `open`.')
    const policyId = policyName === undefined ? undefined : await policyNamed(prisma, policyName)
    const data = { ...(policyId === undefined ? {} : { policyId }), ...(maxRegistrations === undefined ? {} : { maxRegistrations }) }
    const [row] = await prisma.$transaction([
      prisma.caller.update({ where: { id: known.id }, data, include: relations }),
      audited(prisma, by, 'caller.bound', known.providerId, { caller: known.id, name: known.name, policy: policyName ?? null, max_registrations: maxRegistrations ?? null })
    ])
    return summaryOf(row)
  })
}

async function policyNamed (prisma: PrismaClient, name: string): Promise<string> {
  const policy = await prisma.policy.findUnique({ where: { name }, select: { id: true } })
  if (policy === null) throw new AdministrationError(`There is no policy ${name}.`)
  return policy.id
}

async function theCaller (prisma: PrismaClient, idOrName: string) {
  const where = UUID.test(idOrName) ? { OR: [{ id: idOrName }, { name: idOrName }] } : { name: idOrName }
  const rows = await prisma.caller.findMany({ where, include: relations, orderBy: { createdAt: 'asc' } })
  const living = rows.filter(({ revokedAt }) => revokedAt === null)
  if (living.length > 1) throw new AdministrationError(`More than one caller has the name ${idOrName}. Name one by its id: ${living.map(({ id }) => id).join(', ')}.`)
  const caller = living[0] ?? rows.at(-1)
  if (caller === undefined) throw new AdministrationError(`There is no caller ${idOrName}.`)
  return caller
}

async function databaseNowMs (prisma: PrismaClient): Promise<number> {
  const [row] = await prisma.$queryRaw<Array<{ now: Date }>>`SELECT now() AS now`
  if (row === undefined) throw new Error('The database does not tell the time')
  return row.now.getTime()
}

interface CallerRow extends Omit<CallerSummary, 'providerName' | 'policyName' | 'registrations'> {
  provider: { name: string } | null
  policy: { name: string } | null
  _count: { registrations: number }
}

function summaryOf (row: CallerRow): CallerSummary {
  const { id, kind, name, origin, scopes, maxRegistrations, createdAt, expiresAt, revokedAt, lastUsedAt, provider, policy, _count: { registrations } } = row
  return {
    id,
    kind,
    name,
    origin,
    providerName: provider?.name ?? null,
    policyName: policy?.name ?? null,
    scopes,
    maxRegistrations,
    registrations,
    createdAt,
    expiresAt,
    revokedAt,
    lastUsedAt
  }
}
