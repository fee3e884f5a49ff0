// CallerRegister over Prisma: callers as operators make, list, change and revoke them.
import { v7 as uuidv7 } from 'uuid'
import type {
  CallerChanges, CallerField, CallerFilter, CallerOrigin, CallerRegister, CallerSummary, CallerVisibility, Expiry, NewCaller
} from '../administration/callers-port.ts'
import { AdministrationError } from '../administration/errors.ts'
import type { Operator } from '../administration/operator.ts'
import type { CallerKind } from '../registration/registration.ts'
import { audited, providerNamed } from './administration.ts'
import type { Prisma } from './generated/client.ts'
import { voidAnswersAbout } from './idempotency-store.ts'
import { behind, conditionOf, orderOf, type ListedColumn } from './list-conditions.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

const relations = { provider: { select: { name: true } }, policy: { select: { name: true } }, _count: { select: { registrations: true } } } as const
const shown = { include: relations, omit: { keyDigest: true, pepperId: true } } as const
const oldestFirst: Prisma.CallerOrderByWithRelationInput[] = [{ createdAt: 'asc' }, { id: 'asc' }]

const columns: Readonly<Record<Exclude<CallerField, 'revoked'>, ListedColumn>> = {
  id: { path: ['id'] },
  name: { path: ['name'] },
  kind: { path: ['kind'] },
  provider: { path: ['provider', 'name'] },
  origin: { path: ['origin'] },
  createdAt: { path: ['createdAt'] },
  expiresAt: { path: ['expiresAt'], optional: true },
  lastUsedAt: { path: ['lastUsedAt'], optional: true }
}

export function createCallerRegister (prisma: PrismaClient): CallerRegister {
  const one = async (where: Prisma.CallerWhereUniqueInput) => {
    const row = await prisma.caller.findUnique({ where, ...shown })
    return row === null ? null : summaryOf(row)
  }
  return {
    list: async ({ filters, sort, after, skip, limit }, visibility) => await guarded(async () => {
      const where = { AND: [...conditions(filters, visibility), ...(after === null ? [] : [behind(after, sort)])] }
      return (await prisma.caller.findMany({ where, orderBy: orderOf(sort), skip, take: limit, ...shown })).map(summaryOf)
    }),
    count: async (filters, visibility, limit) => await guarded(() => prisma.caller.count({ where: { AND: conditions(filters, visibility) }, take: limit })),
    find: async id => await guarded(() => one({ id })),
    findNamed: async name => await guarded(async () => (await prisma.caller.findMany({ where: { name }, orderBy: oldestFirst, ...shown })).map(summaryOf)),
    add: async (by, caller) => await guarded(() => addCaller(prisma, by, caller)),
    change: async (by, id, changes) => await guarded(() => changeCaller(prisma, by, id, changes)),
    revoke: async (by, id) => await guarded(() => revokeCaller(prisma, by, id))
  }
}

/** All callers, oldest first. */
export async function listCallers (prisma: PrismaClient): Promise<CallerSummary[]> {
  return (await guarded(() => prisma.caller.findMany({ orderBy: oldestFirst, ...shown }))).map(summaryOf)
}

async function addCaller (prisma: PrismaClient, by: Operator, caller: NewCaller): Promise<CallerSummary> {
  const { kind, name, maxRegistrations } = caller
  const scopes = [...caller.scopes]
  return await prisma.$transaction(async transaction => {
    await claimName(transaction, name, null)
    const provider = caller.providerName === null ? null : await providerOf(transaction, caller.providerName)
    const policyId = caller.policyName === null ? null : await policyNamed(transaction, caller.policyName)
    const expiresAt = await timeOf(transaction, caller.expiry)
    const bounds = { scopes, policyId, maxRegistrations, expiresAt, providerId: provider?.id ?? null }
    const row = await transaction.caller.create({
      data: { id: uuidv7(), kind, name, origin: 'database' satisfies CallerOrigin, keyDigest: Buffer.from(caller.digest), ...bounds }, ...shown
    })
    await audited(transaction, by, 'caller.created', bounds.providerId, {
      caller: row.id, kind, name, scopes, policy: caller.policyName, max_registrations: maxRegistrations, expires_at: expiresAt?.toISOString() ?? null
    })
    return summaryOf(row)
  })
}

async function changeCaller (prisma: PrismaClient, by: Operator, id: string, changes: CallerChanges): Promise<CallerSummary | null> {
  const { name, policyName, maxRegistrations, expiry } = changes
  const scopes = changes.scopes === undefined ? undefined : [...new Set(changes.scopes)]
  return await prisma.$transaction(async transaction => {
    if (name !== undefined) await claimName(transaction, name, id)
    const expiresAt = expiry === undefined ? undefined : await timeOf(transaction, expiry)
    const data = {
      ...(name === undefined ? {} : { name }),
      ...(scopes === undefined ? {} : { scopes }),
      ...(maxRegistrations === undefined ? {} : { maxRegistrations }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(policyName === undefined ? {} : { policyId: policyName === null ? null : await policyNamed(transaction, policyName) })
    }
    const { count } = await transaction.caller.updateMany({ where: { id, revokedAt: null }, data })
    if (count === 0) return null
    await voidAnswersAbout(transaction, id)
    const row = await transaction.caller.findUniqueOrThrow({ where: { id }, ...shown })
    await audited(transaction, by, 'caller.changed', row.providerId, {
      caller: id,
      kind: row.kind,
      name: row.name,
      ...(scopes === undefined ? {} : { scopes }),
      ...(policyName === undefined ? {} : { policy: policyName }),
      ...(maxRegistrations === undefined ? {} : { max_registrations: maxRegistrations }),
      ...(expiresAt === undefined ? {} : { expires_at: expiresAt?.toISOString() ?? null })
    })
    return summaryOf(row)
  })
}

async function revokeCaller (prisma: PrismaClient, by: Operator, id: string): Promise<CallerSummary | null> {
  return await prisma.$transaction(async transaction => {
    const count = await transaction.$executeRaw`UPDATE caller SET revoked_at = now() WHERE id = ${id}::uuid AND revoked_at IS NULL`
    if (count === 0) return null
    await voidAnswersAbout(transaction, id)
    const row = await transaction.caller.findUniqueOrThrow({ where: { id }, ...shown })
    await audited(transaction, by, 'caller.revoked', row.providerId, { caller: id, kind: row.kind, name: row.name })
    return summaryOf(row)
  })
}

/** Two that take the same name at once take turns until the transaction ends. */
async function claimName (transaction: Prisma.TransactionClient, name: string, except: string | null): Promise<void> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`caller:${name}`}, 0))`
  const others = await transaction.caller.count({ where: { name, revokedAt: null, ...(except === null ? {} : { id: { not: except } }) } })
  if (others > 0) throw new AdministrationError(`There is a caller of the name ${name} already.`, 'conflict')
}

/** A wrong name is a wrong member of the request. */
async function providerOf (transaction: Prisma.TransactionClient, name: string): Promise<{ id: string }> {
  // A deletion that is under way ends first, and is seen: it revokes the callers that are there, and no others.
  await transaction.$executeRaw`SELECT FROM provider WHERE name = ${name} AND deleted_at IS NULL FOR KEY SHARE`
  return await providerNamed(transaction, name).catch((error: unknown) => {
    throw error instanceof AdministrationError ? new AdministrationError(error.message, 'invalid', 'provider') : error
  })
}

async function policyNamed (transaction: Prisma.TransactionClient, name: string): Promise<string> {
  // Locked: it can't go before whoever names it is there.
  const [policy] = await transaction.$queryRaw<Array<{ id: string }>>`SELECT id::text FROM policy WHERE name = ${name} FOR KEY SHARE`
  if (policy === undefined) throw new AdministrationError(`There is no policy ${name}.`, 'invalid', 'policy')
  return policy.id
}

async function timeOf (transaction: Prisma.TransactionClient, expiry: Expiry): Promise<Date | null> {
  if (expiry === null) return null
  const [row] = await transaction.$queryRaw<Array<{ now: Date }>>`SELECT now() AS now`
  if (row === undefined) throw new Error('The database does not tell the time')
  const at = 'at' in expiry ? expiry.at : new Date(row.now.getTime() + expiry.inMs)
  if (at <= row.now) throw new AdministrationError('The end is over already. To end a caller, revoke it.', 'invalid', 'expires_at')
  return at
}

function conditions (filters: readonly CallerFilter[], { providerId }: CallerVisibility): Prisma.CallerWhereInput[] {
  return [...(providerId === null ? [] : [{ providerId }]), ...filters.map(filter => filter.field === 'revoked' ? revokedCondition(filter) : conditionOf(filter, columns))]
}

function revokedCondition (filter: CallerFilter): Prisma.CallerWhereInput {
  const isAskedFor = 'values' in filter && filter.values.includes('true')
  return { revokedAt: isAskedFor === (filter.operator === 'in') ? { not: null } : null }
}

type CallerRow = Prisma.CallerGetPayload<typeof shown>

function summaryOf ({ provider, policy, policyId: _, _count: { registrations }, ...row }: CallerRow): CallerSummary {
  return {
    ...row,
    kind: row.kind as CallerKind,
    origin: row.origin as CallerOrigin,
    providerName: provider?.name ?? null,
    policyName: policy?.name ?? null,
    registrations
  }
}
