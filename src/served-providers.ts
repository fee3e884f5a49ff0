// What is connected to Entra for each provider: a directory, and the keys of its tenant. Follows the catalogue.
import { tenantEndpointsOf } from './entra/clouds.ts'
import type { EntraDirectories } from './entra/entra-directories.ts'
import type { ServiceTokenProvider, ServiceTokens } from './entra/service-tokens.ts'
import type { ProviderAccess } from './provider-access.ts'
import type { Log } from './registration/ports.ts'
import type { OperatorTokenSettings, ServiceTokenSettings } from './settings/settings.ts'
import type { StoredCatalogue, StoredProvider } from './store/catalogue.ts'

export interface ServedProvidersParts {
  catalogue: Pick<StoredCatalogue, 'providers'>
  access: ProviderAccess
  directories: Pick<EntraDirectories, 'serve' | 'verify'>
  tokens: Pick<ServiceTokens, 'serve'>
  serviceTokens: ServiceTokenSettings
  operatorTokens: OperatorTokenSettings
  attemptTimeoutMs: number
  log: Log
}

/** The returned function is called whenever the catalogue has been read. */
export function createServedProviders (parts: ServedProvidersParts): () => void {
  const { catalogue, access, directories, tokens, attemptTimeoutMs, log } = parts

  function serviceTokensOf (provider: StoredProvider): ServiceTokenProvider[] {
    const { serviceTokens, operatorTokens } = parts
    const clientId = access.settingsOf(provider)?.clientId ?? provider.initialClientId
    const place = access.placeOf(provider)
    try {
      tenantEndpointsOf(place.authorityHost, place.tenantId, place.graphBaseUrl)
    } catch (error) {
      log.error({ err: error, provider: provider.name }, 'A provider has an address that can\'t be used')
      return []
    }
    const audiencesOf = ({ audiences }: { audiences: readonly string[] }) => audiences.length > 0 ? audiences : [clientId, `api://${clientId}`]
    return [{
      providerId: provider.id,
      ...place,
      audiences: audiencesOf(serviceTokens),
      role: serviceTokens.role,
      operators: { audiences: audiencesOf(operatorTokens), roles: Object.keys(operatorTokens.roles) },
      attemptTimeoutMs
    }]
  }

  return () => {
    const providers = catalogue.providers()
    tokens.serve(providers.flatMap(serviceTokensOf))
    const changed = directories.serve(providers.map(provider => access.settingsOf(provider)).filter(settings => settings !== null))
    // A wrong credential shows now instead of at the next registration, which also finds its token ready.
    for (const providerId of changed) {
      directories.verify(providerId, AbortSignal.timeout(attemptTimeoutMs)).catch((error: unknown) => {
        log.warn({ err: error, providerId }, 'Entra ID does not accept the broker yet')
      })
    }
  }
}
