// The application object as the broker writes it. AzureADMyOrg always: other audiences change the token's form and its issuer.
import type { Application, KeyCredential, RequiredResourceAccess } from '@microsoft/microsoft-graph-types'
import type { Certificate, DirectoryApplication, ResourceAccess } from '../registration/registration.ts'

/** What create and update send, certificates apart. What the broker has never set (null) stays out; an empty text clears. */
export function applicationBody (wanted: DirectoryApplication): Application {
  const { homePageUrl, termsOfServiceUrl, privacyStatementUrl, isFallbackPublicClient, requiredResourceAccess } = wanted
  const info = {
    ...(termsOfServiceUrl !== null && { termsOfServiceUrl: orNull(termsOfServiceUrl) }),
    ...(privacyStatementUrl !== null && { privacyStatementUrl: orNull(privacyStatementUrl) })
  }
  return {
    displayName: wanted.displayName,
    description: wanted.description,
    signInAudience: 'AzureADMyOrg',
    tags: wanted.tags,
    web: { redirectUris: wanted.redirectUris.web, ...(homePageUrl !== null && { homePageUrl: orNull(homePageUrl) }) },
    publicClient: { redirectUris: wanted.redirectUris.publicClient },
    spa: { redirectUris: wanted.redirectUris.spa },
    api: { requestedAccessTokenVersion: wanted.accessTokenVersion },
    ...(Object.keys(info).length > 0 && { info }),
    ...(isFallbackPublicClient !== null && { isFallbackPublicClient }),
    ...(requiredResourceAccess !== null && { requiredResourceAccess: requiredResourceAccess.map(toGraph) })
  }
}

/** Certificates for `keyCredentials`. Entra: a PATCH replaces the collection, and every entry has to bring its key. */
export function keyCredentials (certificates: readonly Certificate[]): KeyCredential[] {
  return certificates.map(({ displayName, der, startsAt, endsAt }) => ({
    type: 'AsymmetricX509Cert', usage: 'Verify', key: der, displayName, startDateTime: startsAt, endDateTime: endsAt
  }))
}

function toGraph ({ resourceAppId, permissions }: ResourceAccess): RequiredResourceAccess {
  return { resourceAppId, resourceAccess: permissions }
}

function orNull (text: string): string | null {
  return text === '' ? null : text
}
