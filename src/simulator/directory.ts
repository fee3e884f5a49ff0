// The directory of one tenant: applications, service principals, and what was deleted but not purged.
// Every look-up on the path of a registration is a map look-up. It knows no HTTP and no permissions.
import { randomUUID } from 'node:crypto'
import type { Application, ServicePrincipal } from '@microsoft/microsoft-graph-types'
import { newApplicationProperties, newPrincipalProperties } from './application-defaults.ts'
import type { ApplicationRecord, DirectoryRecord, PasswordRecord, PrincipalRecord } from './records.ts'

/** Entra: a soft-deleted object can be restored for 30 days. */
export const restorableMs = 30 * 24 * 60 * 60 * 1000

const pastVersionsKept = 16

/** What a write may replace. */
type Writable = 'properties' | 'passwords' | 'ownerIds' | 'certificates' | 'federations' | 'roleAssignments'

/** The caller that makes an object: it is charged for it and becomes its owner. */
export interface Creator {
  appId: string
  principalId: string
}

export interface DirectorySnapshot {
  sequence: number
  records: DirectoryRecord[]
}

interface DirectoryEnvironment {
  tenantId: string
  now: () => number
  /** True while reads may go backwards, so that past versions must be kept. */
  keepsPast: () => boolean
  changed: () => void
}

export class Directory {
  readonly applications = new Map<string, ApplicationRecord>()
  readonly principals = new Map<string, PrincipalRecord>()
  /** Soft-deleted objects by id, in the order of their deletion. */
  readonly deleted = new Map<string, DirectoryRecord>()
  readonly #environment: DirectoryEnvironment
  readonly #applicationsByAppId = new Map<string, ApplicationRecord>()
  readonly #principalsByAppId = new Map<string, PrincipalRecord>()
  readonly #principalsByName = new Map<string, PrincipalRecord>()
  /** Live and soft-deleted alike: a soft-deleted application keeps its uniqueName reserved. */
  readonly #uniqueNames = new Map<string, ApplicationRecord>()
  readonly #identifierUris = new Map<string, ApplicationRecord>()
  readonly #objectsByCreator = new Map<string, number>()
  #sequence = 0

  constructor (environment: DirectoryEnvironment) {
    this.#environment = environment
  }

  get objectCount (): number { return this.applications.size + this.principals.size + this.deleted.size }

  objectsMadeBy (appId: string): number { return this.#objectsByCreator.get(appId) ?? 0 }

  applicationByAppId (appId: string): ApplicationRecord | undefined { return this.#applicationsByAppId.get(appId.toLowerCase()) }

  principalByAppId (appId: string): PrincipalRecord | undefined { return this.#principalsByAppId.get(appId.toLowerCase()) }

  /** A resource by its App ID URI or appId, as a token request names it. A trailing slash makes no difference. */
  principalByName (name: string): PrincipalRecord | undefined {
    return this.#principalsByName.get(resourceKey(name))
  }

  /** Whoever holds this uniqueName: it may be soft-deleted. */
  holderOfUniqueName (uniqueName: string): ApplicationRecord | undefined {
    this.#forgetExpired()
    return this.#uniqueNames.get(uniqueName.toLowerCase())
  }

  holderOfIdentifierUri (uri: string): ApplicationRecord | undefined {
    this.#forgetExpired()
    return this.#identifierUris.get(uri.toLowerCase())
  }

  deletedById (id: string): DirectoryRecord | undefined {
    this.#forgetExpired()
    return this.deleted.get(id.toLowerCase())
  }

  createApplication (changes: Partial<Application>, uniqueName: string | null, creator: Creator | null): ApplicationRecord {
    const now = this.#environment.now()
    const id = randomUUID()
    const appId = randomUUID()
    const fresh = newApplicationProperties({
      id,
      appId,
      createdByAppId: creator?.appId ?? null,
      createdDateTime: new Date(now).toISOString().replace(/\.\d+Z$/, 'Z'),
      publisherDomain: `${this.#environment.tenantId.slice(0, 8)}.onmicrosoft.com`
    })
    const record: ApplicationRecord = {
      kind: 'application',
      uniqueName,
      certificates: [],
      federations: [],
      ...this.#newRecord(id, appId, creator, now),
      properties: { ...fresh, ...changes, uniqueName }
    }
    this.#index(record)
    this.#environment.changed()
    return record
  }

  createPrincipal (
    appId: string, changes: Partial<ServicePrincipal>, creator: Creator | null,
    foreign?: { displayName: string, names: string[], tenantId: string }
  ): PrincipalRecord {
    const application = this.applicationByAppId(appId)?.properties
    const id = randomUUID()
    const fresh = newPrincipalProperties({
      id,
      appId,
      displayName: foreign?.displayName ?? application?.displayName ?? '',
      names: [appId, ...(foreign?.names ?? application?.identifierUris ?? [])],
      tenantId: foreign?.tenantId ?? this.#environment.tenantId
    })
    const record: PrincipalRecord = {
      kind: 'servicePrincipal',
      roleAssignments: [],
      ...this.#newRecord(id, appId, creator, this.#environment.now()),
      properties: {
        ...fresh,
        appRoles: application?.appRoles ?? [],
        oauth2PermissionScopes: application?.api?.oauth2PermissionScopes ?? [],
        ...changes
      }
    }
    this.#index(record)
    this.#environment.changed()
    return record
  }

  /** Replaces parts of a record. All writes to an existing record come through here. */
  write<R extends DirectoryRecord>(record: R, changes: Partial<Pick<R, Writable & keyof R>>): void {
    const now = this.#environment.now()
    if (this.#environment.keepsPast()) {
      const version = { untilMs: now, properties: record.properties, passwords: record.passwords }
      record.past = [...record.past, version].slice(-pastVersionsKept)
    }
    this.#unindexNames(record)
    Object.assign(record, changes, { writtenAtMs: now })
    if (record.kind === 'application') this.#carryToPrincipal(record)
    this.#indexNames(record)
    this.#environment.changed()
  }

  /** Keeps the removed password for as long as it may linger, and forgets the ones that no longer do. */
  removePassword (record: ApplicationRecord, keyId: string, lingerMs: number): void {
    const now = this.#environment.now()
    const passwords = record.passwords
      .map((password): PasswordRecord => password.keyId === keyId ? { ...password, removedAtMs: now } : password)
      .filter(password => password.removedAtMs === null || password.removedAtMs + lingerMs > now)
    this.write(record, { passwords })
  }

  /** Entra: deleting an application takes its service principal along. */
  softDelete (record: DirectoryRecord): void {
    const now = this.#environment.now()
    if (record.kind === 'application') {
      const principal = this.#principalsByAppId.get(record.appId)
      if (principal !== undefined) this.softDelete(principal)
      this.applications.delete(record.id)
      this.#applicationsByAppId.delete(record.appId)
    } else {
      this.#unindexNames(record)
      this.principals.delete(record.id)
      this.#principalsByAppId.delete(record.appId)
    }
    record.deletedAtMs = record.writtenAtMs = now
    record.properties = { ...record.properties, deletedDateTime: new Date(now).toISOString() }
    this.deleted.set(record.id, record)
    this.#environment.changed()
  }

  restore (record: DirectoryRecord): void {
    this.deleted.delete(record.id)
    record.deletedAtMs = null
    record.writtenAtMs = this.#environment.now()
    record.properties = { ...record.properties, deletedDateTime: null }
    this.#index(record, 0)
    this.#environment.changed()
  }

  /** Removes for good. Entra: purging an application does not purge its service principal. */
  purge (record: DirectoryRecord): void {
    this.deleted.delete(record.id)
    this.#unindexNames(record)
    if (record.kind === 'application' && record.uniqueName !== null) this.#uniqueNames.delete(record.uniqueName.toLowerCase())
    this.#charge(record, -1)
    this.#environment.changed()
  }

  snapshot (): DirectorySnapshot {
    const records = [...this.applications.values(), ...this.principals.values(), ...this.deleted.values()]
    return { sequence: this.#sequence, records: records.map(record => ({ ...record, past: [] })) }
  }

  load (snapshot: DirectorySnapshot): void {
    this.#sequence = snapshot.sequence
    for (const record of snapshot.records) this.#index({ ...record })
  }

  #newRecord (id: string, appId: string, creator: Creator | null, now: number) {
    return {
      id,
      appId,
      sequence: ++this.#sequence,
      passwords: [],
      ownerIds: creator === null ? [] : [creator.principalId],
      createdByAppId: creator?.appId ?? null,
      createdAtMs: now,
      writtenAtMs: now,
      deletedAtMs: null,
      past: [],
      reads: 0
    }
  }

  #index (record: DirectoryRecord, charge = 1): void {
    this.#charge(record, charge)
    if (record.kind === 'application' && record.uniqueName !== null) this.#uniqueNames.set(record.uniqueName.toLowerCase(), record)
    this.#indexNames(record)
    if (record.deletedAtMs !== null) {
      this.deleted.set(record.id, record)
    } else if (record.kind === 'application') {
      this.applications.set(record.id, record)
      this.#applicationsByAppId.set(record.appId, record)
    } else {
      this.principals.set(record.id, record)
      this.#principalsByAppId.set(record.appId, record)
    }
  }

  #indexNames (record: DirectoryRecord): void {
    if (record.kind === 'application') {
      for (const uri of record.properties.identifierUris ?? []) this.#identifierUris.set(uri.toLowerCase(), record)
    } else if (record.deletedAtMs === null) {
      for (const name of record.properties.servicePrincipalNames ?? []) this.#principalsByName.set(resourceKey(name), record)
    }
  }

  #unindexNames (record: DirectoryRecord): void {
    if (record.kind === 'application') {
      for (const uri of record.properties.identifierUris ?? []) this.#identifierUris.delete(uri.toLowerCase())
      return
    }
    for (const name of record.properties.servicePrincipalNames ?? []) {
      const key = resourceKey(name)
      if (this.#principalsByName.get(key) === record) this.#principalsByName.delete(key)
    }
  }

  /** Entra: the service principal's names and what can be granted on it follow its application. */
  #carryToPrincipal (record: ApplicationRecord): void {
    const principal = this.#principalsByAppId.get(record.appId)
    if (principal === undefined) return
    this.#unindexNames(principal)
    const { identifierUris, displayName, appRoles, api } = record.properties
    principal.properties = {
      ...principal.properties,
      servicePrincipalNames: [record.appId, ...(identifierUris ?? [])],
      appDisplayName: displayName ?? '',
      appRoles: appRoles ?? [],
      oauth2PermissionScopes: api?.oauth2PermissionScopes ?? []
    }
    this.#indexNames(principal)
  }

  #charge (record: DirectoryRecord, amount: number): void {
    if (record.createdByAppId === null) return
    this.#objectsByCreator.set(record.createdByAppId, this.objectsMadeBy(record.createdByAppId) + amount)
  }

  #forgetExpired (): void {
    const horizonMs = this.#environment.now() - restorableMs
    for (const record of this.deleted.values()) {
      if ((record.deletedAtMs ?? 0) > horizonMs) return
      this.purge(record)
    }
  }
}

const resourceKey = (name: string): string => name.toLowerCase().replace(/\/$/, '')
