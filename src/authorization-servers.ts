// What each provider publishes as an authorization server: Entra's endpoints of its tenant, and what clients may ask for.
import { tenantEndpointsOf } from './entra/clouds.ts'
import type { AuthorizationServers } from './http/metadata/routes.ts'
import { issuerOf } from './http/register/issuer.ts'
import { IDENTITY_SCOPES } from './registration/metadata/scopes.ts'
import type { Catalogue } from './registration/ports.ts'
import type { EntraTenant } from './settings/settings.ts'

/** @param issuerBase base of every issuer, without a slash at the end */
export function createAuthorizationServers (
  catalogue: Pick<Catalogue, 'providerNamed' | 'scopes'>, { authorityHost, graphBaseUrl }: Pick<EntraTenant, 'authorityHost' | 'graphBaseUrl'>, issuerBase: () => string
): AuthorizationServers {
  return {
    of (name) {
      const provider = catalogue.providerNamed(name)
      if (provider === null) return null
      return {
        issuer: issuerOf(issuerBase(), name),
        endpoints: tenantEndpointsOf(authorityHost, provider.tenantId, graphBaseUrl),
        scopes: [...IDENTITY_SCOPES, ...catalogue.scopes(provider.id).keys()]
      }
    }
  }
}
