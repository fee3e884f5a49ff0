// What one simulator holds: its tenants, its clock, and the knobs. Routes get it as their only argument.
import { randomUUID } from 'node:crypto'
import type { JWK } from 'jose'
import { Directory } from './directory.ts'
import type { DirectorySnapshot } from './directory.ts'
import type { FaultRules } from './faults.ts'
import type { Journal } from './journal.ts'
import type { LagSettings } from './lag.ts'
import type { PermissionGrantRecord } from './records.ts'
import { SignIns } from './sign-ins.ts'
import type { SignInsSnapshot } from './sign-ins.ts'
import type { TokenSigner } from './tokens.ts'

/** Limits an administrator of the tenant sets; `null` is no limit. */
export interface TenantPolicy {
  /** App-management policy: longest life of a password, in milliseconds. */
  maxSecretLifetimeMs: number | null
  /** App-management policy: no passwords at all. */
  passwordsForbidden: boolean
  /** Directory quota of one creator; soft-deleted objects count. */
  objectsPerCreator: number | null
  /** Directory quota of the tenant; soft-deleted objects count. */
  objectsPerTenant: number | null
  /** Stands for Entra's limit on the size of one object. */
  passwordsPerApplication: number
  /** Writes of one application in a period before Graph answers 429; Entra's own number is 3,000. */
  writesPerPeriod: number | null
  /** In milliseconds; Entra's own period is 150 s. */
  periodMs: number
  /** Users can't consent: every delegated permission needs an administrator's grant. */
  userConsentForbidden: boolean
}

export const openPolicy: Readonly<TenantPolicy> = {
  maxSecretLifetimeMs: null,
  passwordsForbidden: false,
  objectsPerCreator: null,
  objectsPerTenant: null,
  passwordsPerApplication: 600,
  writesPerPeriod: null,
  periodMs: 150_000,
  userConsentForbidden: false
}

export interface ClientIdentity {
  clientId: string
  clientSecret: string
}

export interface TenantSnapshot {
  tenantId: string
  policyId: string
  policy: TenantPolicy
  broker: ClientIdentity
  directory: DirectorySnapshot
  /** Absent in the snapshots of simulators that had no sign-ins. */
  permissionGrants?: PermissionGrantRecord[]
  signIns?: SignInsSnapshot
}

export interface Tenant {
  id: string
  /** Named by policy errors. */
  policyId: string
  policy: TenantPolicy
  /** The identity the broker signs in with. */
  broker: ClientIdentity
  directory: Directory
  permissionGrants: readonly PermissionGrantRecord[]
  /** Codes and refresh tokens that are out. */
  signIns: SignIns
}

/** Everything the routes of one simulator share. */
export interface Simulation {
  tenants: Map<string, Tenant>
  lag: LagSettings
  faults: FaultRules
  journal: Journal
  signer: TokenSigner
  /** Public keys of the issuers that federated credentials name. Nothing is ever fetched from an issuer. */
  federationKeys: Map<string, JWK[]>
  /** Milliseconds since the epoch, on the simulator's clock. */
  now: () => number
  /** Where the simulator listens; known once it does. */
  url: () => string
  /** Called after every change of a directory. */
  changed: () => void
}

/** Adds an empty tenant. */
export function addTenant (simulation: Simulation, tenantId: string = randomUUID()): Tenant {
  const tenant: Tenant = {
    id: tenantId,
    policyId: randomUUID(),
    policy: { ...openPolicy },
    broker: { clientId: '', clientSecret: '' },
    directory: new Directory({
      tenantId,
      now: simulation.now,
      keepsPast: () => simulation.lag.staleReadMs > 0,
      changed: simulation.changed
    }),
    permissionGrants: [],
    signIns: new SignIns({ now: simulation.now, changed: simulation.changed })
  }
  simulation.tenants.set(tenantId, tenant)
  return tenant
}
