// What the core asks of Entra, and how Entra says no. Implemented by entra/.
import type { DirectoryApplication, FederatedIdentity, PermissionGrants } from './registration.ts'

/** Everything that can go wrong between us and Entra, by what the core must do about it. */
export type DirectoryFault =
  | 'replicating' // the object was made but is not visible yet: repeat
  | 'conflicting' // Directory_ConcurrencyViolation: repeat after a moment
  | 'throttled' // 429, or a 503 that says when to come back
  | 'unavailable' // 5xx, timeout, reset, no connection
  | 'missing' // the object is not there (or not there yet: the caller knows which)
  | 'unauthenticated' // Entra refuses the broker's own credential, or Graph its token
  | 'denied' // the broker lacks a Graph permission, or does not own the object
  | 'policy' // a tenant app-management policy forbids it
  | 'quota' // directory quota, or the size limit of one object
  | 'rejected' // Graph refuses the payload

/** The only error a Directory throws. `message` and `diagnostics` are for logs, never for an answer. */
export class DirectoryError extends Error {
  readonly fault: DirectoryFault
  /** True when the request may have been applied although no answer came: look before acting. */
  readonly outcomeUnknown: boolean
  /** Milliseconds the directory asked us to stay away, if it said so. */
  readonly retryAfterMs: number | undefined
  /** True: no other call to this tenant would fare better. A token endpoint that throttles says nothing of Graph. */
  readonly isTenantWide: boolean
  /** Graph or AADSTS code, HTTP status, request ids. Never a secret, a token or a body. */
  readonly diagnostics: Readonly<Record<string, string | number>>

  constructor (fault: DirectoryFault, message: string, options: {
    cause?: unknown
    outcomeUnknown?: boolean
    retryAfterMs?: number | undefined
    isTenantWide?: boolean
    diagnostics?: Record<string, string | number>
  } = {}) {
    super(message, { cause: options.cause })
    this.name = 'DirectoryError'
    this.fault = fault
    this.outcomeUnknown = options.outcomeUnknown ?? false
    this.retryAfterMs = options.retryAfterMs
    this.isTenantWide = options.isTenantWide ?? false
    this.diagnostics = options.diagnostics ?? {}
  }
}

export interface ApplicationIds {
  /** Graph object id of the application. */
  objectId: string
  /** Entra's appId: the client_id that callers know. */
  clientId: string
}

/** An application that the broker may not have made. */
export interface ForeignApplication extends ApplicationIds {
  /** Null: it has no service principal in the tenant. */
  principalId: string | null
  displayName: string
  tags: string[]
}

/** An application that carries the broker's tag, whichever installation made it. */
export interface TaggedApplication extends ApplicationIds {
  uniqueName: string | null
  displayName: string
  tags: string[]
  createdAt: Date
  passwords: Array<{ keyId: string, label: string | null, startsAt: Date }>
}

export interface TaggedPage {
  applications: TaggedApplication[]
  /** Where the next page is, for the next call; null: this was the last. */
  next: string | null
}

/** One of them as a registration needs it. */
export interface TaggedDetails extends TaggedApplication {
  description: string | null
  redirectUris: DirectoryApplication['redirectUris']
  secrets: Array<DirectorySecret & { hint: string | null }>
  /** Null: it has no service principal in the tenant. */
  principal: { principalId: string, enabled: boolean } | null
}

export interface DirectorySecret {
  keyId: string
  /** The password's displayName in Entra; ours start with `dcr:`. */
  label: string | null
  expiresAt: Date
}

export interface IssuedSecret extends DirectorySecret {
  secretText: string
  /** First three characters, as Entra shows them. */
  hint: string
  startsAt: Date
}

/**
 * One Entra tenant. Laws:
 * - one call, one attempt: nothing here repeats a request or sleeps; the retry rule is in failures.ts;
 * - every call but `issueSecret` may run twice; "already there" and "already gone" are success;
 * - every call ends when `signal` aborts, and then throws a DirectoryError with `outcomeUnknown` for a write;
 * - only DirectoryError is thrown.
 */
export interface Directory {
  /** Creates the application under its uniqueName, or brings the existing one to `wanted`; without its certificates and federated identities. */
  ensureApplication (uniqueName: string, wanted: DirectoryApplication, signal: AbortSignal): Promise<ApplicationIds>
  /** Creates the service principal of an application, or finds it. Resolves to its object id. */
  ensurePrincipal (clientId: string, wanted: DirectoryApplication, signal: AbortSignal): Promise<string>
  /** Sends the whole application, its certificates included. Members that are null are not sent. `missing` when the application is gone. */
  updateApplication (objectId: string, wanted: DirectoryApplication, signal: AbortSignal): Promise<void>
  /** Makes the federated identity credentials of ours equal to `wanted`; those somebody else made stay. */
  syncFederatedIdentities (objectId: string, wanted: readonly FederatedIdentity[], signal: AbortSignal): Promise<void>
  /**
   * Grants and takes back permissions of the whole tenant; others stay. Application roles need AppRoleAssignment.ReadWrite.All,
   * delegated scopes DelegatedPermissionGrant.ReadWrite.All: `denied` without.
   */
  syncGrants (principalId: string, grants: PermissionGrants, signal: AbortSignal): Promise<void>
  /** Sets the principal's `accountEnabled`: a disabled client gets no tokens. */
  setEnabled (principalId: string, enabled: boolean, signal: AbortSignal): Promise<void>
  /** Adds a password. NOT repeatable: its text is shown once. */
  issueSecret (objectId: string, label: string, startsAt: Date, endsAt: Date, signal: AbortSignal): Promise<IssuedSecret>
  listSecrets (objectId: string, signal: AbortSignal): Promise<DirectorySecret[]>
  /** Removes one password. Already gone is success. */
  revokeSecret (objectId: string, keyId: string, signal: AbortSignal): Promise<void>
  /** The live application with this uniqueName, or null. */
  findApplication (uniqueName: string, signal: AbortSignal): Promise<ApplicationIds | null>
  /** The live application with this appId, whoever made it, or null. Reads only. */
  findForeignApplication (clientId: string, signal: AbortSignal): Promise<ForeignApplication | null>
  /** A page of the live applications with this tag, in no order. Lists lag behind point reads. `after`: `next` of the page before. */
  listTagged (tag: string, after: string | null, signal: AbortSignal): Promise<TaggedPage>
  /** The live application with this appId, its secrets and redirect URIs, or null. Reads only. */
  readTagged (clientId: string, signal: AbortSignal): Promise<TaggedDetails | null>
  /**
   * Whether this principal has been given application roles or delegated permissions anywhere, by whomever. Reads only. Delegated
   * permissions can be seen with Directory.Read.All or DelegatedPermissionGrant.ReadWrite.All: `denied` without.
   */
  holdsPermissions (principalId: string, signal: AbortSignal): Promise<boolean>
  /** Soft-deletes the application (Entra takes its principal along). Already gone is success. */
  removeApplication (objectId: string, signal: AbortSignal): Promise<void>
  /** Removes the soft-deleted application and its principal for good. Already gone is success. */
  purgeApplication (ids: ApplicationIds, principalId: string | null, signal: AbortSignal): Promise<void>
  /** Asks the token endpoint whether a secret works already. */
  probeSecret (clientId: string, secretText: string, signal: AbortSignal): Promise<boolean>
}

/** The directory of each provider. Throws DirectoryError `unauthenticated` for a provider without a usable credential. */
export interface Directories {
  of (providerId: string): Directory
}
