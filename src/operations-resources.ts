// What stands behind the resources of the operations API: use cases of the core over the store.
import { createAdoptions } from './administration/adoptions.ts'
import { createAuditReader } from './administration/audit.ts'
import { createCallers } from './administration/callers.ts'
import { createEncryptionKeys } from './administration/encryption-keys.ts'
import { createPolicies } from './administration/policies.ts'
import { createPolicyDryRun } from './administration/policy-dry-run.ts'
import { createStrategies } from './administration/strategies.ts'
import { mintCallerToken } from './caller-tokens.ts'
import type { OperationsResources } from './http/operations/routes.ts'
import type { ProviderAccess } from './provider-access.ts'
import { createProviderAdministration } from './provider-administration.ts'
import type { Reconciler } from './reconciliation/reconciler.ts'
import type { RegistrationsReader } from './registration/browse.ts'
import type { Clock, Log } from './registration/ports.ts'
import type { Registrar } from './registration/registrar.ts'
import type { CompleteSettings } from './settings/complete-settings.ts'
import { createAdoptionPermits } from './store/adoption-administration.ts'
import { createAuditBrowser } from './store/audit-browser.ts'
import { createCallerRegister } from './store/caller-administration.ts'
import type { StoredCatalogue } from './store/catalogue.ts'
import { createEncryptionKeyStore } from './store/encryption-key-store.ts'
import { createPolicyStore } from './store/policy-store.ts'
import type { PrismaClient } from './store/prisma-client.ts'
import { createStrategyStore } from './store/strategy-store.ts'
import type { EnvelopeVault } from './vault/envelope-vault.ts'

export interface OperationsResourcesParts {
  settings: CompleteSettings
  prisma: PrismaClient
  vault: EnvelopeVault
  clock: Clock
  log: Log
  catalogue: StoredCatalogue
  access: ProviderAccess
  registrations: RegistrationsReader
  registrar: Registrar
  reconciler: Reconciler
  /** What was changed is in effect on this replica when it resolves. */
  applyChange: () => Promise<void>
}

export function createOperationsResources (parts: OperationsResourcesParts): OperationsResources {
  const { settings, prisma, vault, clock, log, catalogue, access, registrations, registrar, reconciler, applyChange } = parts
  return {
    registrations,
    registrar,
    reconciler,
    adoptions: createAdoptions(createAdoptionPermits(prisma)),
    dcrProviders: createProviderAdministration({
      prisma,
      vault,
      access,
      environment: settings.entra.tenant,
      federatedTokenFile: settings.entra.federatedTokenFile,
      clock,
      log,
      attemptTimeoutMs: settings.limits.attemptTimeoutMs,
      secretLifetimeDays: settings.secretLifetimeDays,
      reload: applyChange
    }),
    strategies: createStrategies(createStrategyStore(prisma), applyChange),
    policies: createPolicies(createPolicyStore(prisma), applyChange),
    dryRun: createPolicyDryRun({ catalogue, clock }),
    callers: createCallers({
      register: createCallerRegister(prisma),
      mint: mintCallerToken,
      providerName: id => catalogue.provider(id)?.name ?? null,
      apply: applyChange
    }),
    audit: createAuditReader(createAuditBrowser(prisma)),
    encryptionKeys: createEncryptionKeys(createEncryptionKeyStore(prisma), vault, clock)
  }
}
