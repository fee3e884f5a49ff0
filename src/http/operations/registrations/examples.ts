// The client Orders, as the operations API shows it, and what was done with it.
import { example } from '../../example-values.ts'

export const exampleSummary = {
  id: example.registrationId,
  client_id: example.clientId,
  client_name: 'Orders',
  description: 'Reads orders',
  state: 'active',
  provider: example.providerName,
  surface: 'konnect',
  delivery: 'delivered',
  application_id: example.konnectApplicationId,
  redirect_uris: ['https://orders.example.com/callback'],
  grant_types: ['client_credentials'],
  scopes: ['openid'],
  token_endpoint_auth_method: 'client_secret_post',
  entra: {
    object_id: '5d0f8c1e-9b6a-4f37-8c52-0e7a1b3d4f65',
    principal_id: 'a86f2b4d-1c3e-4d5f-9a7b-8c9d0e1f2a3b',
    display_name: 'Orders',
    platforms: { web: ['https://orders.example.com/callback'], public_client: [], spa: [] },
    desired_revision: 1,
    applied_revision: 1
  },
  labels: { team: 'orders' },
  owner: 'orders@example.com',
  disabled_at: null,
  disabled_by: null,
  adopted_at: null,
  verification: false,
  last_fault: null,
  created_at: example.registeredAt,
  updated_at: example.linkedAt,
  activated_at: '2026-11-26T09:00:01.000Z',
  last_used_at: null,
  ended_at: null
}

export const exampleRegistration = {
  ...exampleSummary,
  links: [{ product_id: 'orders-api', application_id: example.konnectApplicationId, audience: null, since: example.linkedAt }],
  credentials: [{
    id: '01a21715-4681-7a11-9c2f-4a7e3b0d5f69',
    key_id: example.secretId,
    state: 'active',
    hint: 'aB3',
    created_at: example.registeredAt,
    expires_at: example.secretExpiresAt
  }],
  events: [{
    id: '01a21719-da60-7c20-9d2f-4a7e3b0d5f69',
    type: 'add_registration',
    application_id: example.konnectApplicationId,
    product_id: 'orders-api',
    audience: null,
    received_at: example.linkedAt
  }]
}

export const exampleRotatedSecret = {
  id: example.registrationId,
  client_id: example.clientId,
  secret_id: 'f3e0a8c5-7b62-4d4f-9c18-2a6b0d3e4f57',
  client_secret: example.secret,
  created_at: '2026-12-01T10:00:00.000Z',
  expires_at: '2028-11-30T10:00:00.000Z'
}

/** That it was registered. */
export const exampleAuditEntry = {
  id: '01a21715-4682-7b12-8d30-5b8f4c1e6a7b',
  at: example.registeredAt,
  actor: example.portalCallerId,
  action: 'registration.reserved',
  outcome: 'succeeded',
  request_id: '0f8b6c2d-4e1a-4b7c-9d53-8a2e6f0c1b94',
  source_address: '203.0.113.7',
  detail: { surface: 'konnect', client_name: 'Orders' }
}
