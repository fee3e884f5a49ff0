// What each provider publishes as an authorization server: Entra's endpoints of its tenant, and what clients may ask for.
import { tenantEndpointsOf } from './entra/clouds.ts'
import type { AuthorizationServers } from './http/metadata/routes.ts'
import { issuerOf } from './http/register/issuer.ts'
import { acceptedAuthMethods } from './registration/metadata/auth-methods.ts'
import { acceptedGrantTypes } from './registration/metadata/grant-types.ts'
import { IDENTITY_SCOPES } from './registration/metadata/scopes.ts'
import type { ProviderAccess } from './provider-access.ts'
import type { StoredCatalogue } from './store/catalogue.ts'

export interface AuthorizationServersParts {
  catalogue: Pick<StoredCatalogue, 'providerNamed' | 'scopes' | 'policy' | 'openPolicy'>
  /** Where a provider is. */
  access: Pick<ProviderAccess, 'placeOf'>
  /** Anybody may register: the policy of anonymous registrations is what counts. */
  isOpen: boolean
  /** Base of every issuer. */
  issuerBase: () => string
}

export function createAuthorizationServers ({ catalogue, access, isOpen, issuerBase }: AuthorizationServersParts): AuthorizationServers {
  return {
    of (name) {
      const provider = catalogue.providerNamed(name)
      if (provider === null) return null
      const { authorityHost, tenantId, graphBaseUrl } = access.placeOf(provider)
      const { rules } = isOpen ? catalogue.openPolicy() : catalogue.policy(null)
      return {
        issuer: issuerOf(issuerBase(), name),
        endpoints: tenantEndpointsOf(authorityHost, tenantId, graphBaseUrl),
        scopes: [...IDENTITY_SCOPES, ...catalogue.scopes(provider.id).keys()],
        grantTypes: acceptedGrantTypes(rules),
        authMethods: acceptedAuthMethods(rules)
      }
    }
  }
}
