// What each provider publishes as an authorization server: Entra's endpoints of its tenant, and what clients may ask for.
import { tenantEndpointsOf } from './entra/clouds.ts'
import type { AuthorizationServers } from './http/metadata/routes.ts'
import { issuerOf } from './http/register/issuer.ts'
import { acceptedAuthMethods } from './registration/metadata/auth-methods.ts'
import { acceptedGrantTypes } from './registration/metadata/grant-types.ts'
import { IDENTITY_SCOPES } from './registration/metadata/scopes.ts'
import type { Catalogue } from './registration/ports.ts'
import type { EntraTenant } from './settings/settings.ts'

export interface AuthorizationServersParts {
  catalogue: Pick<Catalogue, 'providerNamed' | 'scopes' | 'policy' | 'openPolicy'>
  cloud: Pick<EntraTenant, 'authorityHost' | 'graphBaseUrl'>
  /** Anybody may register: the policy of anonymous registrations is what counts. */
  isOpen: boolean
  /** Base of every issuer. */
  issuerBase: () => string
}

export function createAuthorizationServers ({ catalogue, cloud, isOpen, issuerBase }: AuthorizationServersParts): AuthorizationServers {
  return {
    of (name) {
      const provider = catalogue.providerNamed(name)
      if (provider === null) return null
      const { rules } = isOpen ? catalogue.openPolicy() : catalogue.policy(null)
      return {
        issuer: issuerOf(issuerBase(), name),
        endpoints: tenantEndpointsOf(cloud.authorityHost, provider.tenantId, cloud.graphBaseUrl),
        scopes: [...IDENTITY_SCOPES, ...catalogue.scopes(provider.id).keys()],
        grantTypes: acceptedGrantTypes(rules),
        authMethods: acceptedAuthMethods(rules)
      }
    }
  }
}
