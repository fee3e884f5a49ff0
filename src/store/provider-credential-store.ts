// ProviderStore over Prisma: the broker's credentials at a provider.
import { AdministrationError } from '../administration/errors.ts'
import type { ProviderStore } from '../administration/provider-port.ts'
import { audited } from './administration.ts'
import type { Prisma } from './generated/client.ts'
import { voidAnswersAbout } from './idempotency-store.ts'
import type { PrismaClient } from './prisma-client.ts'
import { credentialColumns, credentialRow, removal, toCredentialRecord } from './provider-rows.ts'
import { changingProvider } from './provider-transaction.ts'
import { guarded } from './store-errors.ts'

/** More at once are a mistake. */
const MOST_CREDENTIALS = 20

type CredentialStore = Pick<ProviderStore, 'credentials' | 'addCredential' | 'noteVerified' | 'activateCredential' | 'removeCredential'>

export function createProviderCredentialStore (prisma: PrismaClient): CredentialStore {
  return {
    credentials: providerId => guarded(async () => (await prisma.providerCredential.findMany({
      where: { providerId, state: { not: 'removed' } }, select: credentialColumns, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }]
    })).map(toCredentialRecord)),

    addCredential: (by, providerId, credential) => changingProvider(prisma, providerId, 'change', async transaction => {
      const count = await transaction.providerCredential.count({ where: { providerId, state: { not: 'removed' } } })
      if (count >= MOST_CREDENTIALS) throw new AdministrationError(`The provider has ${count} credentials: remove those that nobody needs.`, 'conflict')
      const row = await transaction.providerCredential.create({ data: { providerId, ...credentialRow(credential, 'standby') }, select: credentialColumns })
      await audited(transaction, by, 'provider.credential_added', providerId, { credential: row.id, kind: row.kind, client_id: row.clientId })
      return toCredentialRecord(row)
    }),

    noteVerified: (by, providerId, credentialId, ok) => guarded(async () => {
      await prisma.$transaction([
        ...(ok && credentialId !== null
          ? [prisma.providerCredential.updateMany({ where: { id: credentialId, providerId, state: { not: 'removed' } }, data: { verifiedAt: new Date() } })]
          : []),
        audited(prisma, by, 'provider.verified', providerId, { credential: credentialId, ok })
      ])
    }),

    activateCredential: (by, providerId, credentialId, force) => changingProvider(prisma, providerId, 'change', async (transaction, provider) => {
      const credential = await existing(transaction, providerId, credentialId)
      if (credential.state === 'active') return credential
      if (credential.verifiedAt === null && !force) {
        throw new AdministrationError('The credential has never passed a verification: verify it first, or activate it with force=true.', 'conflict')
      }
      await transaction.providerCredential.updateMany({ where: { providerId, state: 'active' }, data: { state: 'standby' } })
      const row = await transaction.providerCredential.update({ where: { id: credentialId }, data: { state: 'active', activatedAt: new Date() }, select: credentialColumns })
      await voidAnswersAbout(transaction, credentialId)
      await transaction.provider.update({ where: { id: providerId }, data: { initialClientId: row.clientId, updatedAt: new Date() } })
      await audited(transaction, by, 'provider.credential_activated', providerId, {
        credential: credentialId, client_id: { from: provider.initialClientId, to: row.clientId }, verified: credential.verifiedAt !== null
      })
      return toCredentialRecord(row)
    }),

    removeCredential: (by, providerId, credentialId) => changingProvider(prisma, providerId, 'change', async transaction => {
      const { state } = await existing(transaction, providerId, credentialId)
      if (state === 'active') throw new AdministrationError('The credential is in use: activate another one first.', 'conflict')
      await transaction.providerCredential.update({ where: { id: credentialId }, data: removal() })
      await voidAnswersAbout(transaction, credentialId)
      await audited(transaction, by, 'provider.credential_removed', providerId, { credential: credentialId })
    })
  }
}

async function existing (transaction: Prisma.TransactionClient, providerId: string, id: string) {
  const row = await transaction.providerCredential.findFirst({ where: { id, providerId, state: { not: 'removed' } }, select: credentialColumns })
  if (row === null) throw new AdministrationError('There is no such credential.', 'unknown')
  return toCredentialRecord(row)
}
