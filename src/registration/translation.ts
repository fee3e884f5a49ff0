// Client metadata -> Entra application: the one place that knows how a registration is projected.
import { descriptionOf, displayNameOf } from './client-name.ts'
import { platformsOf } from './redirect-uris.ts'
import type { AuthStrategy, ClientMetadata, DirectoryApplication } from './registration.ts'

/** Konnect sends a strategy's auth_methods as grant types; these mean a client that gets tokens for itself. */
const CLIENT_CREDENTIALS_WORDS: ReadonlySet<string> = new Set(['client_credentials', 'bearer', 'session', 'introspection'])

/** What the broker writes to Entra for this client. Pure: the same input gives the same projection. */
export function translate (
  metadata: ClientMetadata, strategy: AuthStrategy, identity: { registrationId: string, installationId: string }
): DirectoryApplication {
  return {
    displayName: displayNameOf(metadata.clientName),
    description: descriptionOf(metadata.description),
    tags: ['dcr-broker', `dcr-inst:${identity.installationId}`, `dcr-reg:${identity.registrationId}`],
    accessTokenVersion: strategy.tokenVersion,
    redirectUris: platformsOf(metadata.redirectUris, metadata.tokenEndpointAuthMethod)
  }
}

/** Konnect's words as OAuth grant types; unknown ones are kept as they came. Nothing asked for means client_credentials. */
export function grantTypesOf (words: readonly string[]): string[] {
  const grants = words.map(word => CLIENT_CREDENTIALS_WORDS.has(word) ? 'client_credentials' : word)
  return grants.length === 0 ? ['client_credentials'] : [...new Set(grants)]
}

export function sameProjection (one: DirectoryApplication, other: DirectoryApplication): boolean {
  return JSON.stringify(canonical(one)) === JSON.stringify(canonical(other))
}

function canonical (application: DirectoryApplication): unknown[] {
  const { displayName, description, tags, accessTokenVersion, redirectUris } = application
  return [displayName, description, tags, accessTokenVersion, redirectUris.web, redirectUris.publicClient, redirectUris.spa]
}
