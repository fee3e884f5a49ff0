// Values that the examples of several resources share, so that together they tell one story: Contoso's tenant, and the client Orders in it.
// Where a secret stands is a text that nobody, and no scanner, takes for one.

const tenantId = '11111111-2222-4333-8444-555555555555'

export const example = {
  tenantId,
  v1Issuer: `https://sts.windows.net/${tenantId}/`,
  v2Issuer: `https://login.microsoftonline.com/${tenantId}/v2.0`,
  /** appId of the broker's own application. */
  brokerClientId: '2b6f7d3a-9c14-4e8b-a5d0-7f1e3c9b8a42',
  resourceAppId: '6f0c1f5e-7a0e-4c6e-9f43-0d1d3a6c1b11',
  providerId: '01a211d3-7340-7b20-8c3d-1e5f7a9b0c21',
  providerName: 'contoso',
  providerDisplayName: 'Contoso',
  policyName: 'partners',
  /** The caller that is the operator. */
  operatorId: '01a211b7-fc00-7a01-9d4e-2c6b8f0a1d35',
  /** The caller that is Konnect. */
  portalCallerId: '01a211e5-c2c0-7d40-8f1a-6b3c5e7d9f02',
  konnectStrategyId: 'b1b9a4e5-8f8f-4f11-9d3b-444444444444',
  konnectApplicationId: 'a4d1c1f0-4a53-4c6f-8c35-666666666666',
  registrationId: '01a21715-4680-7a10-8b1e-3f6d2a9c4e58',
  /** Entra's appId of the client. */
  clientId: '7c1b5a0e-3f62-4d0c-9a1e-2b8f4c6d7e90',
  secretId: 'e2d9f7b4-6a51-4c3e-8b07-1f5a9c2d3e46',
  setUpAt: '2026-11-25T08:30:00.000Z',
  registeredAt: '2026-11-26T09:00:00.000Z',
  linkedAt: '2026-11-26T09:05:00.000Z',
  secretExpiresAt: '2028-11-25T09:00:00.000Z',
  secret: 'example-not-a-real-secret',
  key: 'example-not-a-real-key',
  managementToken: 'example-not-a-real-token'
} as const
