// ProviderStore over Prisma: providers. Their credentials are in provider-credential-store.ts.
import { AdministrationError } from '../administration/errors.ts'
import type { NewProvider, ProviderChange, ProviderField, ProviderFilter, ProviderStore } from '../administration/provider-port.ts'
import { isV2Issuer } from '../administration/provider-place.ts'
import { audited } from './administration.ts'
import { foundationOf } from './bootstrap.ts'
import { Prisma } from './generated/client.ts'
import type { ProviderModel } from './generated/models.ts'
import { voidAnswersWithin } from './idempotency-store.ts'
import { behind, conditionOf, orderOf, type ListedColumn } from './list-conditions.ts'
import type { PrismaClient } from './prisma-client.ts'
import { createProviderCredentialStore } from './provider-credential-store.ts'
import { credentialRow, livingCallers, livingRegistrations, providerColumns, removal, toProviderRecord } from './provider-rows.ts'
import { asConflict, changingProvider } from './provider-transaction.ts'
import { guarded } from './store-errors.ts'

const columns: Readonly<Record<ProviderField, ListedColumn>> = {
  id: { path: ['id'] },
  name: { path: ['name'] },
  issuer: { path: ['issuer'] },
  providerType: { path: ['providerType'] },
  initialClientId: { path: ['initialClientId'] },
  origin: { path: ['origin'] },
  createdAt: { path: ['createdAt'] },
  updatedAt: { path: ['updatedAt'] }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

type Transaction = Prisma.TransactionClient

export function createProviderStore (prisma: PrismaClient): ProviderStore {
  const conditions = (filters: readonly ProviderFilter[], only: string | null): Prisma.ProviderWhereInput[] =>
    [{ deletedAt: null, ...(only === null ? {} : { id: only }) }, ...filters.map(filter => conditionOf(filter, columns))]
  const shown = async (client: PrismaClient | Transaction, id: string) =>
    toProviderRecord(await client.provider.findUniqueOrThrow({ where: { id }, include: providerColumns() }))

  return {
    ...createProviderCredentialStore(prisma),

    list: ({ filters, sort, after, skip, limit }, only) => guarded(async () => {
      const where = { AND: [...conditions(filters, only), ...(after === null ? [] : [behind(after, sort)])] }
      return (await prisma.provider.findMany({ where, orderBy: orderOf(sort), skip, take: limit, include: providerColumns() })).map(toProviderRecord)
    }),

    count: (filters, only, limit) => guarded(async () => await prisma.provider.count({ where: { AND: conditions(filters, only) }, take: limit })),

    find: idOrName => guarded(async () => {
      const where = UUID.test(idOrName) ? { OR: [{ id: idOrName }, { name: idOrName }] } : { name: idOrName }
      const row = await prisma.provider.findFirst({ where: { ...where, deletedAt: null }, include: providerColumns() })
      return row === null ? null : toProviderRecord(row)
    }),

    add: (by, provider) => guarded(async () => await prisma.$transaction(async transaction => {
      await insert(transaction, provider)
      await audited(transaction, by, 'provider.created', provider.id, {
        name: provider.name,
        issuer: provider.issuer,
        client_id: provider.credential.clientId,
        credential: provider.credential.id,
        kind: provider.credential.kind
      })
      return await shown(transaction, provider.id)
    }).catch(asConflict)),

    change: (by, id, change) => changingProvider(prisma, id, change.place === undefined ? 'change' : 'exclusive', async (transaction, before) => {
      await applyChange(transaction, before, change)
      await audited(transaction, by, 'provider.changed', id, {
        changed: Object.keys(change),
        ...(change.name === undefined ? {} : { name: { from: before.name, to: change.name } }),
        ...(change.place === undefined ? {} : { issuer: { from: before.issuer, to: change.place.issuer } }),
        ...(change.credential === undefined ? {} : { credential: change.credential.id, client_id: change.credential.clientId })
      })
      return await shown(transaction, id)
    }),

    remove: (by, id, force) => changingProvider(prisma, id, 'exclusive', async (transaction, { name }) => {
      const use = await useOf(transaction, id)
      if (!force) refuseWhileUsed(name, use)
      await transaction.caller.updateMany({ where: { providerId: id, revokedAt: null }, data: { revokedAt: new Date() } })
      await transaction.authStrategy.updateMany({ where: { providerId: id, deletedAt: null }, data: { deletedAt: new Date() } })
      await transaction.providerCredential.updateMany({ where: { providerId: id, state: { not: 'removed' } }, data: removal() })
      await transaction.$executeRaw(endWorkStatement(id))
      await voidAnswersWithin(transaction, id)
      const now = new Date()
      await transaction.provider.update({ where: { id }, data: { deletedAt: now, updatedAt: now, name: `${name} (deleted ${id})` } })
      await audited(transaction, by, 'provider.deleted', id, { name, force, ...use })
    }),

    adopt: (by, id, place, credential) => changingProvider(prisma, id, 'change', async (transaction, { name, origin }) => {
      if (origin === 'database') throw new AdministrationError(`The provider [${name}] is kept in the database already.`, 'conflict')
      await transaction.provider.update({ where: { id }, data: { ...place, origin: 'database', initialClientId: credential.clientId, updatedAt: new Date() } })
      // Its strategies can be changed as well from now on.
      await transaction.authStrategy.updateMany({ where: { providerId: id, origin: 'environment' }, data: { origin: 'database' } })
      await transaction.providerCredential.create({ data: { providerId: id, ...credentialRow(credential, 'active') } })
      await audited(transaction, by, 'provider.imported', id, { name, client_id: credential.clientId, credential: credential.id, kind: credential.kind })
      return await shown(transaction, id)
    })
  }
}

// Nobody can work on them any more, and whoever does is fenced: his save would make the row due again. What was in the making is given
// up, and never due: what there is of it in Entra stays there.
function endWorkStatement (providerId: string): Prisma.Sql {
  return Prisma.sql`
    UPDATE registration SET
      lease_token = lease_token + 1, lease_until = NULL, due_at = NULL, redeliver_until = NULL, open_fingerprint = NULL,
      state = CASE WHEN activated_at IS NULL AND state IN ('reserved', 'application_created', 'principal_created', 'secret_issued') THEN 'undoing' ELSE state END,
      delivery = CASE WHEN delivery = 'pending' THEN 'unknown' ELSE delivery END
    WHERE provider_id = ${providerId}::uuid AND (lease_until IS NOT NULL OR due_at IS NOT NULL OR redeliver_until IS NOT NULL)`
}

async function insert (transaction: Transaction, { credential, ...provider }: NewProvider): Promise<void> {
  await transaction.provider.create({ data: { ...provider, origin: 'database', initialClientId: credential.clientId } })
  const { strategy, anonymousCaller } = foundationOf(provider.id, provider.issuer, 'database')
  await transaction.authStrategy.create({ data: strategy })
  await transaction.caller.create({ data: anonymousCaller })
  await transaction.providerCredential.create({ data: { providerId: provider.id, ...credentialRow(credential, 'active') } })
}

async function applyChange (transaction: Transaction, before: ProviderModel, change: ProviderChange): Promise<void> {
  const { id } = before
  const { name, displayName, labels, place, credential } = change
  if (name !== undefined && name !== before.name) await refuseRenaming(transaction, before)
  if (place !== undefined) await move(transaction, before, place)
  if (credential !== undefined) {
    // One that stands by was given for the place the provider leaves: no other sign-in host gets to see it.
    const superseded = place === undefined ? { state: 'active' } : { state: { not: 'removed' } }
    await transaction.providerCredential.updateMany({ where: { providerId: id, ...superseded }, data: removal() })
    await transaction.providerCredential.create({ data: { providerId: id, ...credentialRow(credential, 'active') } })
  }
  await transaction.provider.update({
    where: { id },
    data: {
      updatedAt: new Date(),
      ...(name === undefined ? {} : { name }),
      ...(displayName === undefined ? {} : { displayName }),
      ...(labels === undefined ? {} : { labels }),
      ...(credential === undefined ? {} : { initialClientId: credential.clientId }),
      ...place
    }
  })
}

async function move (transaction: Transaction, before: ProviderModel, { issuer }: { issuer: string }): Promise<void> {
  const registrations = await transaction.registration.count({ where: { providerId: before.id, ...livingRegistrations } })
  if (registrations > 0) {
    throw new AdministrationError(`The provider [${before.name}] has ${registrations} registrations, and another tenant does not know them: make another provider for it.`, 'conflict')
  }
  const { credentialClaim, tokenVersion } = foundationOf(before.id, issuer, 'database').strategy
  await transaction.authStrategy.updateMany({ where: { providerId: before.id, issuer: before.issuer }, data: { issuer, updatedAt: new Date() } })
  if (isV2Issuer(before.issuer) !== isV2Issuer(issuer)) {
    await transaction.authStrategy.updateMany({ where: { providerId: before.id, isDefault: true }, data: { credentialClaim, tokenVersion } })
  }
}

// Clients of /register hold addresses with the name in it (RFC 7592), and nobody could tell them another.
async function refuseRenaming (transaction: Transaction, { id, name }: ProviderModel): Promise<void> {
  const clients = await transaction.registration.count({ where: { providerId: id, surface: 'register', ...livingRegistrations } })
  if (clients > 0) throw new AdministrationError(`${clients} clients hold addresses with the name [${name}] in them: change display_name instead.`, 'conflict')
}

async function useOf (transaction: Transaction, providerId: string) {
  return {
    registrations: await transaction.registration.count({ where: { providerId, ...livingRegistrations } }),
    callers: await transaction.caller.count({ where: { providerId, ...livingCallers() } }),
    strategies: await transaction.authStrategy.count({ where: { providerId, isDefault: false, deletedAt: null } })
  }
}

function refuseWhileUsed (name: string, use: Record<string, number>): void {
  const uses = Object.entries(use).filter(([, count]) => count > 0).map(([what, count]) => `${count} ${what}`)
  if (uses.length > 0) throw new AdministrationError(`The provider [${name}] is in use: ${uses.join(', ')}. Remove them first, or delete it with force=true.`, 'conflict')
}
