// Use cases: DCR providers, each an Entra tenant that the broker may act in.
import type { ListQuery, Page } from '../listing/query.ts'
import { readPage } from '../listing/read-page.ts'
import { AdministrationError } from './errors.ts'
import type { Operator } from './operator.ts'
import { createSealCredential, type CredentialParts } from './provider-credentials.ts'
import { placeOf, type GivenPlace, type KnownAddresses } from './provider-place.ts'
import type { OnlyProvider, ProviderChange, ProviderField, ProviderSortField } from './provider-port.ts'
import type { GivenCredential, ProviderPlace, ProviderRecord } from './provider-records.ts'
import { changeable, mayMove, notTheDefault, visibleProvider } from './provider-scope.ts'
import type { Verification } from './provider-verification.ts'

export type ProviderQuery = ListQuery<ProviderField, ProviderSortField>

export interface WantedProvider extends GivenPlace {
  name: string
  displayName: string | null
  labels: Record<string, string>
  credential: GivenCredential
}

/** What is left out stays. */
export interface WantedChange extends Partial<GivenPlace> {
  name?: string
  displayName?: string | null
  /** Null takes a label away. */
  labels?: Record<string, string | null>
  clientId?: string
  /** Its client id: the changed one, or the provider's. */
  credential?: (clientId: string) => GivenCredential
}

/** All throw AdministrationError and StoreUnavailableError. `only`: the provider the operator is bound to; null: none. */
export interface Providers {
  list (query: ProviderQuery, only: OnlyProvider): Promise<Page<ProviderRecord>>
  /** By id, or by name. */
  show (idOrName: string, only: OnlyProvider): Promise<ProviderRecord>
  create (wanted: WantedProvider, by: Operator): Promise<ProviderRecord>
  change (provider: ProviderRecord, wanted: WantedChange, by: Operator, only: OnlyProvider): Promise<ProviderRecord>
  remove (provider: ProviderRecord, force: boolean, by: Operator): Promise<void>
  /** Takes the environment's provider into the database. */
  adopt (provider: ProviderRecord, by: Operator): Promise<ProviderRecord>
  verify (provider: ProviderRecord, by: Operator): Promise<Verification>
}

export interface ProvidersParts extends CredentialParts {
  /** Null: not known here. */
  environment: KnownAddresses | null
}

const IN_DCR_CONFIG = {
  secret: 'dcr_config.initial_client_secret', pem: 'dcr_config.initial_client_certificate', federated: 'dcr_config.initial_client_federated'
}

export function createProviders (parts: ProvidersParts): Providers {
  const { store, verify, newId, reload, environment } = parts
  const seal = createSealCredential(parts)

  return {
    list: (query, only) => readPage({
      list: rows => store.list(rows, only),
      count: (filters, limit) => store.count(filters, only, limit),
      sortValueOf: (provider, field) => provider[field]
    }, query),

    show: (idOrName, only) => visibleProvider(store, idOrName, only),

    async create ({ name, displayName, labels, credential, ...given }, by) {
      const place = placeOf(given, environment)
      const provider = await store.add(by, { id: newId(), name, displayName, labels, ...place, credential: await seal(credential, IN_DCR_CONFIG) })
      await reload()
      return provider
    },

    async change (provider, wanted, by, only) {
      changeable(provider)
      if (wanted.name !== undefined && wanted.name !== provider.name) notTheDefault(provider, 'renamed')
      const changed = await store.change(by, provider.id, await changeOf(provider, wanted, only))
      await reload()
      return changed
    },

    async remove (provider, force, by) {
      changeable(provider)
      notTheDefault(provider, 'deleted')
      await store.remove(by, provider.id, force)
      await reload()
    },

    async adopt (provider, by) {
      if (provider.origin === 'database') throw new AdministrationError(`The provider [${provider.name}] is kept in the database already.`, 'conflict')
      const kept = await parts.tenants.environmentCredential()
      if (kept === null || environment === null) {
        throw new AdministrationError('The environment here names no tenant: set AZURE_TENANT_ID, AZURE_CLIENT_ID and the credential as the broker has them.', 'conflict')
      }
      const { issuer, tenantId, initialClientId: clientId } = provider
      const given: GivenCredential = kept.kind === 'federated'
        ? { kind: 'federated', clientId }
        : kept.kind === 'secret' ? { kind: 'secret', clientId, secret: kept.text, expiresAt: null } : { kind: 'certificate', clientId, pem: kept.text }
      const adopted = await store.adopt(by, provider.id, { issuer, tenantId, ...environment }, await seal(given, IN_DCR_CONFIG))
      await reload()
      return adopted
    },

    async verify (provider, by) {
      const verification = await verify(provider, provider.credential)
      await store.noteVerified(by, provider.id, provider.credential?.id ?? null, verification.ok)
      return verification
    }
  }

  async function changeOf (provider: ProviderRecord, wanted: WantedChange, only: OnlyProvider): Promise<ProviderChange> {
    const { name, displayName, labels, clientId, credential } = wanted
    const place = newPlaceOf(provider, wanted)
    const isOtherClient = clientId !== undefined && clientId.toLowerCase() !== provider.initialClientId
    if (place !== null || isOtherClient) mayMove(provider, only)
    if (credential === undefined && (place !== null || isOtherClient)) {
      const field = place === null ? 'dcr_config.initial_client_id' : 'issuer'
      throw new AdministrationError('Another tenant, sign-in host or application needs its own credential: give dcr_config.initial_client_secret in the same request.', 'invalid', field)
    }
    return {
      ...(name === undefined ? {} : { name }),
      ...(displayName === undefined ? {} : { displayName }),
      ...(labels === undefined ? {} : { labels: changedLabels(provider.labels, labels) }),
      ...(place === null ? {} : { place }),
      ...(credential === undefined ? {} : { credential: await seal(credential(clientId ?? provider.initialClientId), IN_DCR_CONFIG) })
    }
  }

  /** Null: it stays where it is. */
  function newPlaceOf (provider: ProviderRecord, { issuer, authorityHost, graphBaseUrl }: WantedChange): ProviderPlace | null {
    if (issuer === undefined && authorityHost === undefined && graphBaseUrl === undefined) return null
    // Another issuer brings its own addresses along.
    const keeps = issuer === undefined ? provider : { authorityHost: null, graphBaseUrl: null }
    const place = placeOf({
      issuer: issuer ?? provider.issuer,
      authorityHost: authorityHost === undefined ? keeps.authorityHost : authorityHost,
      graphBaseUrl: graphBaseUrl === undefined && authorityHost === undefined ? keeps.graphBaseUrl : graphBaseUrl ?? null
    }, environment)
    const isSame = place.issuer === provider.issuer && place.authorityHost === provider.authorityHost && place.graphBaseUrl === provider.graphBaseUrl
    return isSame ? null : place
  }
}

function changedLabels (labels: Record<string, string>, changes: Record<string, string | null>): Record<string, string> {
  const changed = { ...labels, ...changes }
  const kept = Object.fromEntries(Object.entries(changed).filter((entry): entry is [string, string] => entry[1] !== null))
  if (Object.keys(kept).length > 50) throw new AdministrationError('There are at most 50 labels.', 'invalid', 'labels')
  return kept
}
