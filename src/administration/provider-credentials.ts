// Use cases: the broker's credentials at a provider. Add one, verify it, switch to it, remove the former: nobody who registers meanwhile notices.
import type { Vault } from '../registration/ports.ts'
import { DirectoryError } from '../registration/ports.ts'
import { AdministrationError } from './errors.ts'
import type { Operator } from './operator.ts'
import type { NewCredential, OnlyProvider, ProviderStore, ProviderTenants } from './provider-port.ts'
import { placeOfCredential, type GivenCredential, type ProviderCredentialRecord, type ProviderRecord } from './provider-records.ts'
import type { Verification, VerifyProvider } from './provider-verification.ts'
import { changeable, mayMove } from './provider-scope.ts'

/** Entra shows as many. */
const HINT_LENGTH = 3

export type SealCredential = (given: GivenCredential, fields: { secret: string, pem: string, federated: string }) => Promise<NewCredential>

export interface CredentialParts {
  store: ProviderStore
  tenants: ProviderTenants
  vault: Pick<Vault, 'seal'>
  verify: VerifyProvider
  newId: () => string
  /** The change counts on this replica from now on. */
  reload: () => Promise<void>
}

/** All throw AdministrationError, also for a provider of the environment, and StoreUnavailableError. */
export interface ProviderCredentials {
  list (provider: ProviderRecord): Promise<ProviderCredentialRecord[]>
  /** Stands by until it is activated. */
  add (provider: ProviderRecord, given: GivenCredential, by: Operator): Promise<ProviderCredentialRecord>
  verify (provider: ProviderRecord, credentialId: string, by: Operator): Promise<Verification>
  /** @param force also one that has never passed a verification, @param only the provider the operator is bound to; null: none */
  activate (provider: ProviderRecord, credentialId: string, force: boolean, by: Operator, only: OnlyProvider): Promise<ProviderCredentialRecord>
  remove (provider: ProviderRecord, credentialId: string, by: Operator): Promise<void>
}

export function createProviderCredentials ({ store, tenants, vault, verify, newId, reload }: CredentialParts): ProviderCredentials {
  const seal = createSealCredential({ tenants, vault, newId })
  const find = async ({ id: providerId }: ProviderRecord, credentialId: string): Promise<ProviderCredentialRecord> => {
    const credential = (await store.credentials(providerId)).find(({ id }) => id === credentialId)
    if (credential === undefined) throw new AdministrationError('There is no such credential.', 'unknown')
    return credential
  }

  return {
    list: provider => store.credentials(provider.id),

    async add (provider, given, by) {
      changeable(provider)
      return await store.addCredential(by, provider.id, await seal(given, { secret: 'secret', pem: 'certificate', federated: 'kind' }))
    },

    async verify (provider, credentialId, by) {
      changeable(provider)
      const credential = await find(provider, credentialId)
      const verification = await verify(provider, credential)
      await store.noteVerified(by, provider.id, credential.id, verification.ok)
      return verification
    },

    async activate (provider, credentialId, force, by, only) {
      changeable(provider)
      if ((await find(provider, credentialId)).clientId !== provider.initialClientId) mayMove(provider, only)
      const credential = await store.activateCredential(by, provider.id, credentialId, force)
      await reload()
      return credential
    },

    async remove (provider, credentialId, by) {
      changeable(provider)
      await store.removeCredential(by, provider.id, credentialId)
    }
  }
}

/** Checks a credential and seals its text. `fields` are the members it was given in, for faults. */
export function createSealCredential ({ tenants, vault, newId }: Pick<CredentialParts, 'tenants' | 'vault' | 'newId'>): SealCredential {
  return async (given, fields) => {
    const id = newId()
    const common = { id, kind: given.kind, clientId: given.clientId.toLowerCase() }
    switch (given.kind) {
      case 'secret':
        return {
          ...common, sealed: await vault.seal(given.secret, placeOfCredential(id)), hint: given.secret.slice(0, HINT_LENGTH), expiresAt: given.expiresAt
        }
      case 'certificate': {
        const { fingerprint, expiresAt } = describe(tenants, given.pem, fields.pem)
        return { ...common, sealed: await vault.seal(given.pem, placeOfCredential(id)), hint: fingerprint, expiresAt }
      }
      case 'federated':
        if (!tenants.hasPlatformToken()) {
          throw new AdministrationError('A federated credential needs the token that the platform gives the broker: AZURE_FEDERATED_TOKEN_FILE is not set.', 'invalid', fields.federated)
        }
        return { ...common, sealed: null, hint: null, expiresAt: null }
    }
  }
}

function describe (tenants: ProviderTenants, pem: string, field: string) {
  try {
    return tenants.describeCertificate(pem)
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error
    throw new AdministrationError(`${error.message}. Accepted: PEM with an unencrypted private key and its certificate.`, 'invalid', field)
  }
}
