// Providers on the command line: the use cases of the operations API, over the database and what else of the environment a command needs.
import { AdministrationError } from '../administration/errors.ts'
import type { ProviderRecord } from '../administration/provider-records.ts'
import { createProviderAccess } from '../provider-access.ts'
import { createProviderAdministration, type ProviderAdministration } from '../provider-administration.ts'
import { DirectoryError, type Vault } from '../registration/ports.ts'
import { tenantOf } from '../settings/grouping.ts'
import { collectGiven } from '../settings/secret-files.ts'
import { checkShape } from '../settings/shape.ts'
import type { PrismaClient } from '../store/prisma-client.ts'
import { createProviderSecrets } from '../store/provider-secrets.ts'
import { systemClock } from '../system-clock.ts'
import { createEnvelopeVault } from '../vault/envelope-vault.ts'
import { KeyringError } from '../vault/keyring-document.ts'
import { openKeyring } from '../vault/keyring.ts'
import { CommandError, UsageError, type CommandContext } from './command.ts'
import { withDatabase } from './database.ts'

const silent = { debug () {}, info () {}, warn () {}, error () {} }

type Sealing = Pick<Vault, 'seal' | 'open'>

/** Runs `work` with the use cases. What seals or opens a secret needs ENCRYPTION_KEYRING_FILE. @throws CommandError */
export async function withProviders<T> (context: CommandContext, work: (api: ProviderAdministration) => Promise<T>): Promise<T> {
  return await withDatabase(context, async prisma => {
    const { values } = checkShape(collectGiven(context.environment).values)
    const keyring = await keyringOf(values.ENCRYPTION_KEYRING_FILE)
    try {
      return await work(apiOf(prisma, keyring.vault, values))
    } finally {
      keyring.close()
    }
  })
}

/** By name or id. @throws AdministrationError when there is none */
export async function providerCalled ({ providers }: ProviderAdministration, nameOrId: string): Promise<ProviderRecord> {
  try {
    return await providers.show(nameOrId, null)
  } catch (error) {
    if (error instanceof AdministrationError && error.code === 'unknown') throw new AdministrationError(`There is no provider ${nameOrId}.`, 'unknown')
    throw error
  }
}

/** The two arguments that name a credential. @throws UsageError */
export function credentialArguments (positionals: readonly string[]): { name: string, credentialId: string } {
  const [name, credentialId, ...rest] = positionals
  if (name === undefined || name === '' || credentialId === undefined || rest.length > 0) throw new UsageError('Exactly two arguments are needed: the name or id of the provider, and the id of the credential.')
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(credentialId)) throw new UsageError('The id of the credential is not acceptable. Accepted: an id of providers credentials list.')
  return { name, credentialId }
}

function apiOf (prisma: PrismaClient, vault: Sealing, values: ReturnType<typeof checkShape>['values']): ProviderAdministration {
  const environment = tenantOf(values)
  const common = { environment, federatedTokenFile: values.AZURE_FEDERATED_TOKEN_FILE ?? null, attemptTimeoutMs: values.ATTEMPT_TIMEOUT_MS }
  return createProviderAdministration({
    ...common,
    prisma,
    vault,
    access: createProviderAccess({ ...common, openSecret: createProviderSecrets(prisma, vault) }),
    clock: systemClock,
    log: silent,
    secretLifetimeDays: { konnect: values.KONNECT_SECRET_LIFETIME_DAYS, register: values.REGISTER_SECRET_LIFETIME_DAYS },
    // Brokers read the catalogue by themselves.
    reload: async () => {}
  })
}

async function keyringOf (path: string | undefined): Promise<{ vault: Sealing, close: () => void }> {
  if (path === undefined) {
    const missing = 'ENCRYPTION_KEYRING_FILE is missing. Accepted: the keyring file of the broker, which seals its credentials'
    const seal = async () => { throw new CommandError([`${missing}.`]) }
    const open = async () => { throw new DirectoryError('unauthenticated', missing, { diagnostics: { reason: 'credential_unusable' } }) }
    return { vault: { seal, open }, close () {} }
  }
  try {
    const keyring = await openKeyring(path, silent)
    return { vault: createEnvelopeVault(keyring), close: () => keyring.close() }
  } catch (error) {
    if (!(error instanceof KeyringError)) throw error
    throw new CommandError(error.faults.map(fault => `ENCRYPTION_KEYRING_FILE: ${fault}`))
  }
}
