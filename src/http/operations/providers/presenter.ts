// Providers -> the wire of the operations API. Names what is shown: nothing else leaves.
import type { EnvironmentProviderView, ProviderCredentialRecord, ProviderRecord } from '../../../administration/provider-records.ts'
import type { CredentialBody, ProviderBody } from './schemas.ts'

export function presentProvider (provider: ProviderRecord, environment: EnvironmentProviderView | null): ProviderBody {
  return {
    id: provider.id,
    name: provider.name,
    display_name: provider.displayName,
    provider_type: 'azureAd',
    issuer: provider.issuer,
    active: provider.active,
    dcr_config: { initial_client_id: provider.initialClientId },
    labels: provider.labels,
    origin: provider.origin,
    tenant_id: provider.tenantId,
    authority_host: provider.authorityHost ?? environment?.authorityHost ?? null,
    graph_base_url: provider.graphBaseUrl ?? environment?.graphBaseUrl ?? null,
    credential: credentialOf(provider, environment),
    created_at: provider.createdAt.toISOString(),
    updated_at: provider.updatedAt.toISOString()
  }
}

function credentialOf ({ origin, credential }: ProviderRecord, environment: EnvironmentProviderView | null): ProviderBody['credential'] {
  if (credential !== null) {
    const { id, kind, hint, expiresAt, verifiedAt } = credential
    return { id, kind, hint, expires_at: expiresAt?.toISOString() ?? null, verified_at: verifiedAt?.toISOString() ?? null }
  }
  return origin === 'environment' && environment !== null ? { id: null, kind: environment.kind, hint: null, expires_at: null, verified_at: null } : null
}

export function presentCredential (credential: ProviderCredentialRecord): CredentialBody {
  return {
    id: credential.id,
    state: credential.state,
    kind: credential.kind,
    client_id: credential.clientId,
    hint: credential.hint,
    expires_at: credential.expiresAt?.toISOString() ?? null,
    verified_at: credential.verifiedAt?.toISOString() ?? null,
    created_at: credential.createdAt.toISOString(),
    activated_at: credential.activatedAt?.toISOString() ?? null
  }
}
