// Providers and their credentials as the CLI's JSON shows them: the members of the operations API. Names what is shown: nothing else leaves.
import type { EnvironmentProviderView, ProviderCredentialRecord, ProviderRecord } from '../administration/provider-records.ts'

export function providerDocument (provider: ProviderRecord, environment: EnvironmentProviderView | null) {
  const { id, name, origin, issuer, active, labels, credential } = provider
  const ofEnvironment = origin === 'environment' && environment !== null ? { id: null, kind: environment.kind, hint: null, expires_at: null, verified_at: null } : null
  return {
    id,
    name,
    display_name: provider.displayName,
    provider_type: 'azureAd',
    issuer,
    active,
    dcr_config: { initial_client_id: provider.initialClientId },
    labels,
    origin,
    tenant_id: provider.tenantId,
    authority_host: provider.authorityHost ?? environment?.authorityHost ?? null,
    graph_base_url: provider.graphBaseUrl ?? environment?.graphBaseUrl ?? null,
    credential: credential === null ? ofEnvironment : partOf(credential),
    created_at: provider.createdAt.toISOString(),
    updated_at: provider.updatedAt.toISOString()
  }
}

export function credentialDocument (credential: ProviderCredentialRecord) {
  return {
    ...partOf(credential),
    state: credential.state,
    client_id: credential.clientId,
    created_at: credential.createdAt.toISOString(),
    activated_at: credential.activatedAt?.toISOString() ?? null
  }
}

function partOf ({ id, kind, hint, expiresAt, verifiedAt }: ProviderCredentialRecord) {
  return { id, kind, hint, expires_at: expiresAt?.toISOString() ?? null, verified_at: verifiedAt?.toISOString() ?? null }
}
