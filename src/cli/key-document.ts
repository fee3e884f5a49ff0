// Key-encryption keys as the CLI shows them, and the use cases behind its commands.
import { createEncryptionKeys, type EncryptionKeys, type ShownKey } from '../administration/encryption-keys.ts'
import type { KeyVault } from '../administration/encryption-keys-port.ts'
import { createEncryptionKeyStore } from '../store/encryption-key-store.ts'
import type { PrismaClient } from '../store/prisma-client.ts'
import { systemClock } from '../system-clock.ts'

export function encryptionKeysOf (prisma: PrismaClient, vault: KeyVault | null = null): EncryptionKeys {
  return createEncryptionKeys(createEncryptionKeyStore(prisma), vault, systemClock)
}

export function keyDocument ({ kid, state, missingOn, sealedValues, createdAt, activatedAt, replacedAt, retiredAt }: ShownKey) {
  return {
    kid,
    state,
    missing_on: missingOn,
    sealed_values: sealedValues,
    created_at: createdAt.toISOString(),
    activated_at: activatedAt?.toISOString() ?? null,
    replaced_at: replacedAt?.toISOString() ?? null,
    retired_at: retiredAt?.toISOString() ?? null
  }
}
