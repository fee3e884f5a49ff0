// Which providers an operator sees, and which anybody can change.
import { AdministrationError } from './errors.ts'
import type { ProviderStore } from './provider-port.ts'
import { DEFAULT_PROVIDER_NAME, type ProviderRecord } from './provider-records.ts'

/** @param only the provider the operator is bound to; null: he sees all. @throws AdministrationError unknown */
export async function visibleProvider (store: Pick<ProviderStore, 'find'>, idOrName: string, only: string | null): Promise<ProviderRecord> {
  const provider = await store.find(idOrName)
  if (provider === null || (only !== null && provider.id !== only)) throw new AdministrationError('There is no such provider.', 'unknown')
  return provider
}

/** @throws AdministrationError conflict that names the settings which define it */
export function changeable (provider: ProviderRecord): void {
  if (provider.origin === 'database') return
  throw new AdministrationError(
    `The provider [${provider.name}] is defined by the environment: change AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_AUTHORITY_HOST, GRAPH_BASE_URL or the credential beside them ` +
    '(AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH, AZURE_FEDERATED_TOKEN_FILE) there, or import the provider first.', 'conflict')
}

/**
 * Operators with Entra tokens of the default provider are bound to none. Whoever is bound to it does not say whose tokens those are: he would
 * make himself an operator of everything.
 *
 * @param only the provider the operator is bound to; null: none. @throws AdministrationError forbidden
 */
export function mayMove ({ name }: ProviderRecord, only: string | null): void {
  if (only === null || name !== DEFAULT_PROVIDER_NAME) return
  throw new AdministrationError(
    `Tokens for the broker's application of the provider [${name}] make operators of all providers: an operator of one provider does not choose another application or place.`, 'forbidden')
}

/** /register without a name, and the keys of the environment, are of this provider. @throws AdministrationError conflict */
export function notTheDefault ({ name }: ProviderRecord, what: 'deleted' | 'renamed'): void {
  if (name === DEFAULT_PROVIDER_NAME) throw new AdministrationError(`The provider [${name}] can't be ${what}: it is the one that is served where no other is named.`, 'conflict')
}
