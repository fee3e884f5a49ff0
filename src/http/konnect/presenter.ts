// Answers of the core -> Konnect's closed objects. Times are ISO-8601 strings, never null where Konnect shows them.
import type { NewSecret, SecretMetadata } from '../../registration/client-secrets.ts'
import type { RegisteredClient } from '../../registration/registered-client.ts'

export function presentApplication ({ clientId, clientSecret, issuedAt, secretExpiresAt }: RegisteredClient) {
  // Every client of Konnect has a secret, kept for as long as its answer may be asked for.
  if (clientSecret === null || secretExpiresAt === null) throw new Error(`Client ${clientId} has no secret to answer`)
  return {
    client_id: clientId,
    client_secret: clientSecret,
    client_id_issued_at: issuedAt.toISOString(),
    client_secret_expires_at: secretExpiresAt.toISOString()
  }
}

export function presentRotatedSecret (secret: NewSecret) {
  return { client_id: secret.clientId, client_secret: secret.clientSecret }
}

export function presentAddedSecret (secret: NewSecret) {
  return {
    secret_id: secret.secretId,
    client_id: secret.clientId,
    client_secret: secret.clientSecret,
    created_at: secret.createdAt.toISOString(),
    expires_at: secret.expiresAt.toISOString()
  }
}

export function presentSecrets (secrets: SecretMetadata[]) {
  return {
    secrets: secrets.map(secret => ({
      secret_id: secret.secretId,
      client_id: secret.clientId,
      status: secret.active ? 'ACTIVE' as const : 'INACTIVE' as const,
      created_at: secret.createdAt.toISOString(),
      expires_at: secret.expiresAt?.toISOString() ?? null
    }))
  }
}
