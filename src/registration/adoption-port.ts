// What adoption asks of the database. Implemented by store/.
import type { AuditEntry, ClientMetadata, DirectoryApplication } from './registration.ts'

/** An application that the broker did not make, as a registration: active from the beginning. */
export interface AdoptedRegistration {
  id: string
  providerId: string
  strategyId: string
  callerId: string
  objectId: string
  /** Entra's appId. */
  clientId: string
  /** Null: it has no service principal. */
  principalId: string | null
  metadata: ClientMetadata
  /** What was seen of it; never sent. */
  projection: DirectoryApplication
  adoptedAt: Date
}

export interface AdoptionStore {
  /**
   * Whether an operator lets this application be adopted: its provider allows it, there is a permit, no registration here has ever
   * had this appId, and it is no application the broker proves itself with.
   */
  mayAdopt (providerId: string, clientId: string): Promise<boolean>
  /** Inserts the row and its audit in one commit and marks the permit as used. False: it may no longer, or somebody was faster. */
  adopt (entry: AdoptedRegistration, audit: readonly AuditEntry[]): Promise<boolean>
  /** Writes audit of what did not happen. */
  noteRefusal (entry: AuditEntry): Promise<void>
}
