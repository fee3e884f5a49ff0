// A registration as the broker makes it of the benchmark's creates: the same columns, about the same sizes.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { v7 as sortedUuid } from 'uuid'
import { noEntraSettings, type AuditEntry, type NewRegistration, type Registration } from '../../src/registration/registration.ts'
import { reservedRegistration } from '../../src/store/rows.ts'

const INSTALLATION = randomUUID()
const DAY_MS = 24 * 3_600_000

/** What a registration belongs to. */
export interface Owners {
  providerId: string
  strategyId: string
  callerId: string
}

export function newRegistration (owners: Owners): NewRegistration {
  const id = sortedUuid()
  const name = `Benchmark ${id.slice(-12)}`
  return {
    ...owners,
    id,
    surface: 'konnect',
    metadata: {
      clientName: name,
      description: 'Made by the benchmark',
      redirectUris: ['https://app.example.com/callback'],
      grantTypes: ['client_credentials', 'authorization_code'],
      responseTypes: [],
      scopes: ['openid'],
      tokenEndpointAuthMethod: 'client_secret_post',
      applicationType: null,
      platform: null,
      jwks: null,
      federatedIdentities: [],
      members: {}
    },
    projection: {
      displayName: name,
      description: 'Made by the benchmark',
      tags: ['dcr-broker', `dcr-inst:${INSTALLATION}`, `dcr-reg:${id}`],
      accessTokenVersion: 1,
      redirectUris: { web: ['https://app.example.com/callback'], publicClient: [], spa: [] },
      ...noEntraSettings,
      enabled: true
    },
    konnect: { portalId: randomUUID(), organizationId: randomUUID(), developerId: randomUUID(), authStrategyId: null, dcrProviderId: randomUUID() },
    verification: false,
    fingerprint: createHash('sha256').update(id).digest('hex'),
    policyId: null,
    managementDigest: null,
    sharingKey: null,
    credentialId: sortedUuid(),
    quota: { perCaller: null, perPolicy: null },
    createdAt: new Date()
  }
}

/** The same when Entra has made it and its secret is sealed. */
export function activeRegistration (entry: NewRegistration): Registration {
  const reserved = reservedRegistration(entry)
  const now = Date.now()
  return {
    ...reserved,
    state: 'active',
    appliedRevision: 1,
    objectId: randomUUID(),
    clientId: randomUUID(),
    principalId: randomUUID(),
    activatedAt: new Date(now),
    credentials: reserved.credentials.map(credential => ({
      ...credential,
      state: 'active',
      keyId: randomUUID(),
      hint: 'abc',
      expiresAt: new Date(now + 180 * DAY_MS),
      sealed: { version: 1, kid: 'k_00000000', wrappedKey: randomBytes(60), ciphertext: randomBytes(68) },
      verifier: { pepperId: 'p_00000000', digest: randomBytes(32) },
      eraseAt: new Date(now + 150_000)
    }))
  }
}

export function auditEntry ({ id, providerId, callerId, metadata }: NewRegistration, action: string): AuditEntry {
  return {
    id: sortedUuid(),
    at: new Date(),
    actor: callerId,
    action,
    outcome: 'succeeded',
    registrationId: id,
    providerId,
    requestId: randomUUID(),
    sourceAddress: '127.0.0.1',
    detail: { surface: 'konnect', client_name: metadata.clientName }
  }
}
