// Whole records for tests that care about a part of them.
import type { GatewayClient } from '../../src/gateway/port.ts'
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

/** As gateways know a client. */
export function someGatewayClient (changes: Partial<GatewayClient> = {}): GatewayClient {
  return {
    registrationId: 'r',
    providerId: 'p',
    strategyId: 's',
    clientId: '7c1b5a0e-3f62-4d0c-9a1e-2b8f4c6d7e90',
    clientName: 'Orders',
    isActive: true,
    isAdopted: false,
    scopes: [],
    labels: {},
    applicationId: null,
    developerId: null,
    products: [],
    secrets: [],
    ...changes
  }
}
