// Answers of the core -> the client information response of RFC 7591 §3.2.1 and RFC 7592 §3. No nulls, no empty strings, times in whole seconds.
import type { RegisteredClient } from '../../registration/registered-client.ts'
import { documentOf } from '../../registration/metadata/registered-document.ts'
import type { Json } from '../../registration/registration.ts'

export type ClientDocument = Record<string, Json>

export function presentClient (client: RegisteredClient, issuer: string): ClientDocument {
  const { clientId, clientSecret, secretExpiresAt, managementToken } = client
  return {
    ...documentOf(client.registration.metadata),
    client_id: clientId,
    client_id_issued_at: secondsOf(client.issuedAt),
    // RFC 7591 §3.2.1: the one requires the other. A policy may keep both to the first answer.
    ...(clientSecret !== null && secretExpiresAt !== null && { client_secret: clientSecret, client_secret_expires_at: secondsOf(secretExpiresAt) }),
    // RFC 7592 §3: both or neither.
    ...(managementToken !== null && { registration_access_token: managementToken, registration_client_uri: managementUri(issuer, clientId) })
  }
}

export function managementUri (issuer: string, clientId: string): string {
  return `${issuer}/register/${encodeURIComponent(clientId)}`
}

function secondsOf (time: Date): number {
  return Math.floor(time.getTime() / 1_000)
}
