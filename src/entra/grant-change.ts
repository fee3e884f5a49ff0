// What both kinds of permission grants work from.

/** What changes for one resource: permission ids in small letters, never the same on both sides. */
export interface GrantChange {
  /** Object id of the resource's principal. */
  resourceId: string
  granted: ReadonlySet<string>
  revoked: ReadonlySet<string>
  /** Values of what the resource offers, by id. */
  values: ReadonlyMap<string, string>
}
