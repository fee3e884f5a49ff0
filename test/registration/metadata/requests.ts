// Requests as http/register makes them of RFC 7591 documents, and the answer that a test looks at.
import { createPublicKey, X509Certificate } from 'node:crypto'
import { acceptMetadata, type AcceptanceContext } from '../../../src/registration/metadata/accept-metadata.ts'
import { documentOf } from '../../../src/registration/metadata/registered-document.ts'
import type { RequestedMetadata } from '../../../src/registration/metadata/requested-metadata.ts'
import { defaultRules, type PolicyRules } from '../../../src/registration/policy.ts'
import type { ClientMetadata, Json, ScopeMapping } from '../../../src/registration/registration.ts'
import { selfSigned } from '../../simulator/self-signed.ts'

export type Document = Record<string, Json>

export const ORDERS_API = '6f0c1f5e-7a0e-4c6e-9f43-0d1d3a6c1b11'
export const ORDERS_READ = 'b1d1c1a1-0000-4000-8000-000000000001'
export const ORDERS_WRITE = 'a1d1c1a1-0000-4000-8000-000000000002'

export const catalogue: ReadonlyMap<string, ScopeMapping> = new Map([
  mapping('orders.read', ORDERS_READ, 'Scope', false), mapping('orders.write', ORDERS_WRITE, 'Role', true)
])

function mapping (name: string, permissionId: string, type: 'Scope' | 'Role', granted: boolean): [string, ScopeMapping] {
  return [name, { name, resourceAppId: ORDERS_API, permissionId, type, granted }]
}

export const context: AcceptanceContext = { rules: defaultRules, scopes: catalogue, now: new Date('2026-06-01T00:00:00Z'), unnamed: 'Unnamed client' }

/** A document with a redirect URI, so that it is accepted as far as the test does not say otherwise. */
export function registering (document: Document, rules: Partial<PolicyRules> = {}, now = context.now): ClientMetadata {
  return acceptMetadata(requestOf({ redirect_uris: ['https://app.example.com/cb'], ...document }), { ...context, rules: { ...defaultRules, ...rules }, now })
}

export function answering (document: Document, rules: Partial<PolicyRules> = {}): Document {
  return documentOf(registering(document, rules))
}

export function requestOf (document: Document): RequestedMetadata {
  const {
    client_name: clientName, redirect_uris: redirectUris, grant_types: grantTypes, response_types: responseTypes, scope, jwks, jwks_uri: jwksUri,
    token_endpoint_auth_method: tokenEndpointAuthMethod, application_type: applicationType, entra_platform: entraPlatform,
    entra_federated_identity_credentials: federatedIdentities, ...members
  } = document
  return {
    clientName: textOf(clientName),
    redirectUris: textsOf(redirectUris),
    grantTypes: textsOf(grantTypes),
    responseTypes: textsOf(responseTypes),
    tokenEndpointAuthMethod: textOf(tokenEndpointAuthMethod),
    scope: textOf(scope),
    applicationType: textOf(applicationType),
    jwks: jwks ?? null,
    jwksUri: textOf(jwksUri),
    entraPlatform: textOf(entraPlatform),
    federatedIdentities: federatedIdentities ?? null,
    members
  }
}

function textOf (value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function textsOf (value: Json | undefined): string[] | null {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : null
}

/** A public RSA key with its certificate, valid from 2020 to 2049. */
export function certifiedKey (name: string): Record<string, Json> {
  const { certificate } = selfSigned(name)
  const { kty, n, e } = createPublicKey(certificate).export({ format: 'jwk' })
  return { kty: String(kty), n: String(n), e: String(e), kid: name, x5c: [new X509Certificate(certificate).raw.toString('base64')] }
}
