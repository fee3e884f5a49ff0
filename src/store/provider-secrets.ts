// The broker's stored credentials, opened for one use.
import { placeOfCredential } from '../administration/provider-records.ts'
import { DirectoryError, StoreUnavailableError, VaultError, type Vault } from '../registration/ports.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

/** Read afresh every time: it may have been sealed again under another key. Throws DirectoryError, as whoever asks for a token expects. */
export function createProviderSecrets (prisma: PrismaClient, vault: Pick<Vault, 'open'>): (credentialId: string) => Promise<string> {
  return async credentialId => {
    try {
      const row = await guarded(() => prisma.providerCredential.findUnique({ where: { id: credentialId } }))
      const { sealVersion: version, sealKid: kid, sealWrappedKey: wrappedKey, sealCiphertext: ciphertext } = row ?? {}
      // Removed a moment ago: the catalogue will name the one in its place.
      if (version == null || kid == null || wrappedKey == null || ciphertext == null) throw new DirectoryError('unavailable', 'the credential of the broker has been replaced')
      return await vault.open({ version, kid, wrappedKey, ciphertext }, placeOfCredential(credentialId))
    } catch (error) {
      if (error instanceof VaultError) throw new DirectoryError('unauthenticated', `the stored credential can't be opened: ${error.message}`, { cause: error, diagnostics: { reason: 'credential_unusable' } })
      if (error instanceof StoreUnavailableError) throw new DirectoryError('unavailable', 'the stored credential can\'t be read: the database is away', { cause: error })
      throw error
    }
  }
}
