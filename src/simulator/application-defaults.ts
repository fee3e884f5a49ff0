// The properties Graph v1.0 shows for a new application or service principal, with the values it gives them by itself.
import type { Application, ServicePrincipal } from '@microsoft/microsoft-graph-types'

/** `createdByAppId` is in Graph's metadata but not yet in the published types. */
export type ApplicationView = Application & { createdByAppId: string | null }

const webDefaults = () => ({
  homePageUrl: null,
  logoutUrl: null,
  redirectUris: [] as string[],
  implicitGrantSettings: { enableAccessTokenIssuance: false, enableIdTokenIssuance: false },
  redirectUriSettings: []
})

const apiDefaults = () => ({
  acceptMappedClaims: null,
  knownClientApplications: [],
  requestedAccessTokenVersion: null,
  oauth2PermissionScopes: [],
  preAuthorizedApplications: []
})

const infoDefaults = () => ({
  logoUrl: null, marketingUrl: null, privacyStatementUrl: null, supportUrl: null, termsOfServiceUrl: null
})

const publisherDefaults = () => ({ displayName: null, verifiedPublisherId: null, addedDateTime: null })

/** Complex properties: a PATCH changes the members it names and leaves the others. `null` brings these defaults back. */
export const complexDefaults: Readonly<Record<string, () => object>> = {
  web: webDefaults,
  spa: () => ({ redirectUris: [] }),
  publicClient: () => ({ redirectUris: [] }),
  api: apiDefaults,
  info: infoDefaults,
  parentalControlSettings: () => ({ countriesBlockedForMinors: [], legalAgeGroupRule: 'Allow' })
}

/** A new application. Times are ISO-8601 strings. Source: Microsoft Graph v1.0, application resource. */
export function newApplicationProperties (
  ids: { id: string, appId: string, createdByAppId: string | null, createdDateTime: string, publisherDomain: string }
): ApplicationView {
  return {
    id: ids.id,
    deletedDateTime: null,
    appId: ids.appId,
    applicationTemplateId: null,
    disabledByMicrosoftStatus: null,
    createdByAppId: ids.createdByAppId,
    createdDateTime: ids.createdDateTime,
    displayName: '',
    description: null,
    groupMembershipClaims: null,
    identifierUris: [],
    isDeviceOnlyAuthSupported: null,
    isFallbackPublicClient: null,
    nativeAuthenticationApisEnabled: null,
    notes: null,
    publisherDomain: ids.publisherDomain,
    serviceManagementReference: null,
    signInAudience: 'AzureADMyOrg',
    tags: [],
    tokenEncryptionKeyId: null,
    uniqueName: null,
    samlMetadataUrl: null,
    defaultRedirectUri: null,
    certification: null,
    optionalClaims: null,
    servicePrincipalLockConfiguration: null,
    requestSignatureVerification: null,
    addIns: [],
    api: apiDefaults(),
    appRoles: [],
    info: infoDefaults(),
    keyCredentials: [],
    parentalControlSettings: { countriesBlockedForMinors: [], legalAgeGroupRule: 'Allow' },
    passwordCredentials: [],
    publicClient: { redirectUris: [] },
    requiredResourceAccess: [],
    verifiedPublisher: publisherDefaults(),
    web: webDefaults(),
    spa: { redirectUris: [] }
  }
}

/** A new service principal. Source: Microsoft Graph v1.0, servicePrincipal resource. */
export function newPrincipalProperties (
  ids: { id: string, appId: string, displayName: string, names: string[], tenantId: string }
): ServicePrincipal {
  return {
    id: ids.id,
    deletedDateTime: null,
    accountEnabled: true,
    alternativeNames: [],
    appDisplayName: ids.displayName,
    appDescription: null,
    appId: ids.appId,
    applicationTemplateId: null,
    appOwnerOrganizationId: ids.tenantId,
    appRoleAssignmentRequired: false,
    description: null,
    disabledByMicrosoftStatus: null,
    displayName: ids.displayName,
    homepage: null,
    loginUrl: null,
    logoutUrl: null,
    notes: null,
    notificationEmailAddresses: [],
    preferredSingleSignOnMode: null,
    preferredTokenSigningKeyThumbprint: null,
    replyUrls: [],
    servicePrincipalNames: ids.names,
    servicePrincipalType: 'Application',
    signInAudience: 'AzureADMyOrg',
    tags: [],
    tokenEncryptionKeyId: null,
    samlSingleSignOnSettings: null,
    addIns: [],
    appRoles: [],
    info: infoDefaults(),
    keyCredentials: [],
    oauth2PermissionScopes: [],
    passwordCredentials: [],
    resourceSpecificApplicationPermissions: [],
    verifiedPublisher: publisherDefaults()
  }
}
