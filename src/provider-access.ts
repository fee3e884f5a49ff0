// How each provider is reached: the environment's by its settings, every other one by its rows, with a credential that is opened when it is used.
import type { EntraCredential } from './entra/broker-credential.ts'
import type { EntraProviderSettings } from './entra/entra-directories.ts'
import type { ProviderCredentialKind } from './administration/provider-records.ts'
import { DirectoryError } from './registration/ports.ts'
import type { EntraTenant } from './settings/settings.ts'

/** A provider and one of its credentials, as the rows have them. */
export interface ReachableProvider {
  id: string
  origin: 'environment' | 'database'
  tenantId: string
  authorityHost: string | null
  graphBaseUrl: string | null
  /** Null: the environment's, or none. */
  credential: { id: string, kind: ProviderCredentialKind, clientId: string } | null
}

export interface ProviderAccessParts {
  /** Null where the environment names no tenant: the command line of an installation that has none at hand. */
  environment: EntraTenant | null
  /** Of the platform; null: there is none. */
  federatedTokenFile: string | null
  /** The text of a stored credential. Throws DirectoryError. */
  openSecret: (credentialId: string) => Promise<string>
  attemptTimeoutMs: number
}

export type Place = Pick<EntraProviderSettings, 'tenantId' | 'authorityHost'> & { graphBaseUrl?: string }

export interface ProviderAccess {
  placeOf (provider: Omit<ReachableProvider, 'credential'>): Place
  /** Null: the broker has nothing to prove itself with there. */
  settingsOf (provider: ReachableProvider): EntraProviderSettings | null
}

const PUBLIC_AUTHORITY = 'https://login.microsoftonline.com'

export function createProviderAccess ({ environment, federatedTokenFile, openSecret, attemptTimeoutMs }: ProviderAccessParts): ProviderAccess {
  function placeOf ({ tenantId, authorityHost, graphBaseUrl }: Omit<ReachableProvider, 'credential'>): Place {
    const graph = graphBaseUrl ?? (authorityHost === null ? environment?.graphBaseUrl : undefined)
    return { tenantId, authorityHost: authorityHost ?? environment?.authorityHost ?? PUBLIC_AUTHORITY, ...(graph === undefined ? {} : { graphBaseUrl: graph }) }
  }

  function credentialOf ({ id, kind }: { id: string, kind: ProviderCredentialKind }): EntraCredential {
    if (kind !== 'federated') return { kind: 'sealed', id, holds: kind, open: async () => await openSecret(id) }
    if (federatedTokenFile !== null) return { kind: 'federated', tokenFile: federatedTokenFile }
    const missing = 'AZURE_FEDERATED_TOKEN_FILE is not set: there is no token of the platform to prove the broker with'
    return { kind: 'sealed', id, holds: 'secret', open: async () => { throw new DirectoryError('unauthenticated', missing, { diagnostics: { reason: 'credential_unusable' } }) } }
  }

  return {
    placeOf,
    settingsOf (provider) {
      const { id: providerId, origin, credential } = provider
      if (origin === 'environment') return environment === null ? null : { providerId, attemptTimeoutMs, ...environment }
      if (credential === null) return null
      return { providerId, attemptTimeoutMs, ...placeOf(provider), clientId: credential.clientId, credential: credentialOf(credential) }
    }
  }
}
