// Which key-encryption keys this database was sealed under, by check values.
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

export interface EncryptionKeyCheck {
  kid: string
  checkValue: Uint8Array
}

export async function listEncryptionKeys (prisma: PrismaClient): Promise<EncryptionKeyCheck[]> {
  return await guarded(() => prisma.encryptionKey.findMany({ select: { kid: true, checkValue: true } }))
}

/** The kids that sealed values refer to. */
export async function listReferencedKids (prisma: PrismaClient): Promise<string[]> {
  const sealed = { where: { sealKid: { not: null } }, distinct: ['sealKid' as const], select: { sealKid: true } }
  const rows = await guarded(() => Promise.all([prisma.credential.findMany(sealed), prisma.providerCredential.findMany(sealed)]))
  return [...new Set(rows.flat().flatMap(row => row.sealKid === null ? [] : [row.sealKid]))]
}

/** Remembers keys; one that is known keeps its check value. */
export async function rememberEncryptionKeys (prisma: PrismaClient, keys: readonly EncryptionKeyCheck[]): Promise<void> {
  await guarded(() => prisma.encryptionKey.createMany({
    data: keys.map(({ kid, checkValue }) => ({ kid, state: 'known', checkValue: Buffer.from(checkValue) })),
    skipDuplicates: true
  }))
}
