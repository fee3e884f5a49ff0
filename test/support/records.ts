// Whole records for tests that care about a part of them.
import type { Caller, ClientMetadata, DirectoryApplication, NewRegistration } from '../../src/registration/registration.ts'

export function someMetadata (changes: Partial<ClientMetadata> = {}): ClientMetadata {
  return {
    clientName: 'Orders',
    description: null,
    redirectUris: [],
    grantTypes: ['client_credentials'],
    responseTypes: [],
    scopes: [],
    tokenEndpointAuthMethod: 'client_secret_basic',
    applicationType: null,
    platform: null,
    jwks: null,
    federatedIdentities: [],
    members: {},
    ...changes
  }
}

export function someProjection (changes: Partial<DirectoryApplication> = {}): DirectoryApplication {
  return {
    displayName: 'Orders',
    description: null,
    tags: ['dcr-broker'],
    accessTokenVersion: 1,
    redirectUris: { web: [], publicClient: [], spa: [] },
    homePageUrl: null,
    termsOfServiceUrl: null,
    privacyStatementUrl: null,
    isFallbackPublicClient: null,
    requiredResourceAccess: null,
    grants: null,
    certificates: null,
    federatedIdentities: null,
    enabled: true,
    ...changes
  }
}

type Belonging = Pick<NewRegistration, 'id' | 'providerId' | 'strategyId' | 'callerId' | 'credentialId' | 'createdAt'>

export function someNewRegistration (belonging: Belonging, changes: Partial<NewRegistration> = {}): NewRegistration {
  return {
    ...belonging,
    policyId: null,
    surface: 'konnect',
    metadata: someMetadata(),
    projection: someProjection(),
    konnect: null,
    verification: false,
    fingerprint: null,
    managementDigest: null,
    sharingKey: null,
    quota: { perCaller: null, perPolicy: null },
    ...changes
  }
}

export function someCaller (changes: Pick<Caller, 'id' | 'kind'> & Partial<Caller>): Caller {
  return { name: 'tests', providerId: null, scopes: [], policyId: null, maxRegistrations: null, ...changes }
}
