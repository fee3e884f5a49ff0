// What the simulated directory keeps about one object. Records are plain data, so that a snapshot is JSON;
// `properties` and `passwords` are replaced, never changed in place, so that an older version can be kept by reference.
import type { Application, ServicePrincipal } from '@microsoft/microsoft-graph-types'
import type { JWK } from 'jose'

export interface PasswordRecord {
  keyId: string
  displayName: string | null
  /** First three characters of the secret. */
  hint: string
  startDateTime: string
  endDateTime: string
  /** SHA-256 of the secret, base64url: Entra shows a secret once, and so the simulator keeps none. */
  digest: string
  addedAtMs: number
  /** Set when removed: the record stays for as long as a removed secret lingers at the token endpoint. */
  removedAtMs: number | null
}

export interface CertificateRecord {
  keyId: string
  displayName: string | null
  /** SHA-256 thumbprint of the DER form, base64url, as in `x5t#S256`. */
  thumbprint: string
  /** As the caller of Graph gave it. Absent: Graph shows the thumbprint. */
  customKeyIdentifier?: string
  pem: string
  startDateTime: string
  endDateTime: string
}

/** An accepted issuer and subject of foreign assertions (workload identity federation). */
export interface FederationRecord {
  id: string
  name: string
  description: string | null
  issuer: string
  subject: string
  audience: string
  /** The issuer's keys, given with it. Empty: the ones that the whole simulator knows of this issuer. */
  keys: JWK[]
}

/** How an object looked until a moment; kept only while reads may go backwards. */
export interface PastVersion<Properties> {
  untilMs: number
  properties: Properties
  passwords: readonly PasswordRecord[]
}

interface ObjectRecord<Properties> {
  id: string
  appId: string
  /** Grows with every object of the tenant: the order of lists and the content of `$skiptoken`. */
  sequence: number
  properties: Properties
  passwords: readonly PasswordRecord[]
  /** Object ids of the service principals that own it. */
  ownerIds: readonly string[]
  /** The application that made it; its quota is charged. Null: made by the tenant's administrator. */
  createdByAppId: string | null
  createdAtMs: number
  writtenAtMs: number
  deletedAtMs: number | null
  past: ReadonlyArray<PastVersion<Properties>>
  /** Reads answered so far, while reads may go backwards. */
  reads: number
}

export interface ApplicationRecord extends ObjectRecord<Application> {
  kind: 'application'
  uniqueName: string | null
  certificates: readonly CertificateRecord[]
  federations: readonly FederationRecord[]
}

export interface RoleAssignment {
  resourceAppId: string
  /** The role's value; empty for the default access, which shows up in no token. */
  role: string
}

/** Delegated permissions that were consented to: by an administrator for everybody, or by one user. */
export interface PermissionGrantRecord {
  id: string
  /** Object id of the client's service principal. */
  clientId: string
  consentType: 'AllPrincipals' | 'Principal'
  /** The user, with `Principal`. */
  principalId: string | null
  /** Object id of the resource's service principal. */
  resourceId: string
  /** Space-separated values of `oauth2PermissionScopes`. */
  scope: string
}

export interface PrincipalRecord extends ObjectRecord<ServicePrincipal> {
  kind: 'servicePrincipal'
  roleAssignments: readonly RoleAssignment[]
}

export type DirectoryRecord = ApplicationRecord | PrincipalRecord
