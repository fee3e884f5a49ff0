// What a caller of RFC 7591 asks to register, before any rule has been applied.
import type { Json } from '../registration.ts'

/** RFC 7591 §2 in camelCase. Null: not given; absent, null and an empty string mean the same (RFC 7592 §2.2). */
export interface RequestedMetadata {
  clientName: string | null
  redirectUris: string[] | null
  /** An explicitly empty list is not defaulted. */
  grantTypes: string[] | null
  responseTypes: string[] | null
  tokenEndpointAuthMethod: string | null
  /** Space-separated. */
  scope: string | null
  applicationType: string | null
  jwks: Json | null
  jwksUri: string | null
  /** Extension member `entra_platform`: a Graph name (web, publicClient, spa). */
  entraPlatform: string | null
  /** Extension member `entra_federated_identity_credentials`: [{issuer, subject, audience}]. */
  federatedIdentities: Json | null
  /** The other members the broker keeps, under their wire names, `#lang` members among them. */
  members: Record<string, Json>
}
