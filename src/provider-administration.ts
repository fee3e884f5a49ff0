// The use cases of the providers over database, vault and Entra: the same for the operations API and the command line.
import { readFile } from 'node:fs/promises'
import { AdministrationError } from './administration/errors.ts'
import { createProviderCredentials, type ProviderCredentials } from './administration/provider-credentials.ts'
import type { ProviderTenants } from './administration/provider-port.ts'
import type { EnvironmentProviderView } from './administration/provider-records.ts'
import { createVerification } from './administration/provider-verification.ts'
import { createProviders, type Providers } from './administration/providers.ts'
import { describeCertificate } from './entra/broker-credential.ts'
import { connectToTenant } from './entra/entra-directories.ts'
import type { ProviderAccess } from './provider-access.ts'
import { DirectoryError, type Clock, type Log, type Vault } from './registration/ports.ts'
import type { EntraTenant } from './settings/settings.ts'
import { createProviderStore } from './store/provider-store.ts'
import type { PrismaClient } from './store/prisma-client.ts'

export interface ProviderAdministrationParts {
  prisma: PrismaClient
  vault: Pick<Vault, 'seal'>
  access: ProviderAccess
  /** Null: the environment names no tenant. */
  environment: EntraTenant | null
  federatedTokenFile: string | null
  clock: Clock
  log: Log
  attemptTimeoutMs: number
  /** Of the secrets that the broker issues. */
  secretLifetimeDays: { konnect: number, register: number }
  /** Makes a change count here. */
  reload: () => Promise<void>
}

export interface ProviderAdministration {
  providers: Providers
  credentials: ProviderCredentials
  /** Null: it defines no provider. */
  environment: EnvironmentProviderView | null
}

export function createProviderAdministration (parts: ProviderAdministrationParts): ProviderAdministration {
  const { prisma, vault, environment, clock, log, attemptTimeoutMs, secretLifetimeDays, reload } = parts
  const tenants = createTenants(parts)
  const verify = createVerification({
    tenants,
    clock,
    log,
    attemptTimeoutMs,
    installationId: async () => (await prisma.installation.findFirstOrThrow()).id,
    secretLifetimeDays: Math.max(secretLifetimeDays.konnect, secretLifetimeDays.register)
  })
  const addresses = environment === null ? null : { authorityHost: environment.authorityHost, graphBaseUrl: environment.graphBaseUrl }
  const common = { store: createProviderStore(prisma), tenants, vault, verify, newId: () => clock.uuid(), reload }
  return {
    providers: createProviders({ ...common, environment: addresses }),
    credentials: createProviderCredentials(common),
    environment: environment === null || addresses === null ? null : { ...addresses, kind: environment.credential.kind }
  }
}

function createTenants ({ access, environment, federatedTokenFile }: ProviderAdministrationParts): ProviderTenants {
  return {
    connect (provider, credential) {
      const settings = access.settingsOf({ ...provider, credential })
      if (settings !== null) return connectToTenant(settings)
      const what = provider.origin === 'environment' ? 'the environment here names no tenant' : 'the provider has none'
      throw new DirectoryError('unauthenticated', what, { diagnostics: { reason: 'provider_unusable' } })
    },
    describeCertificate,
    async environmentCredential () {
      const credential = environment?.credential
      if (credential?.kind === 'secret') return { kind: 'secret', text: credential.secret }
      if (credential?.kind === 'certificate') return { kind: 'certificate', text: await readCertificate(credential.path) }
      return credential === undefined ? null : { kind: 'federated' }
    },
    hasPlatformToken: () => federatedTokenFile !== null
  }
}

async function readCertificate (path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new AdministrationError(`The file of AZURE_CLIENT_CERTIFICATE_PATH can't be read (${code}).`, 'conflict')
  }
}
