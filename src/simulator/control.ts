// The knobs of a running simulator. In a process they are this object; over HTTP control-routes.ts is the same thing.
import { randomUUID } from 'node:crypto'
import type { JWK } from 'jose'
import type { FaultRules } from './faults.ts'
import type { Journal } from './journal.ts'
import { certificateRecord } from './key-credentials.ts'
import type { LagSettings } from './lag.ts'
import { viewOf } from './presentation.ts'
import type { ApplicationRecord, FederationRecord } from './records.ts'
import { addClient, addResource, seedTenant } from './seed.ts'
import type { ResourceIdentity, ResourceOptions } from './seed.ts'
import { addTenant } from './tenants.ts'
import type { ClientIdentity, Simulation, Tenant, TenantPolicy } from './tenants.ts'

/** A tenant as it stands; no secret is in it. */
export interface TenantState {
  tenantId: string
  policy: TenantPolicy
  applications: object[]
  servicePrincipals: object[]
  deletedItems: object[]
}

export interface SimulatorControl {
  faults: FaultRules
  journal: Journal
  /** Changes what is given; answers all. */
  lag (changes?: Partial<LagSettings>): LagSettings
  policy (changes?: Partial<TenantPolicy>, tenantId?: string): TenantPolicy
  state (tenantId?: string): TenantState
  /** A further tenant, furnished like the first. */
  addTenant (tenantId?: string): { tenantId: string, broker: ClientIdentity }
  /** A client the broker knows nothing of. */
  addClient (displayName: string, tenantId?: string): ClientIdentity
  /** A resource with delegated permissions and application roles. Throws ControlError when an App ID URI is taken. */
  addResource (options: ResourceOptions, tenantId?: string): ResourceIdentity
  /** Assigns an application role, so that tokens carry it in `roles`. `resource` is an App ID URI or appId. */
  assignRole (clientId: string, resource: string, role: string, tenantId?: string): void
  /** Whether a client needs an assigned role to get a token for this resource. */
  requireAssignment (resource: string, isRequired: boolean, tenantId?: string): void
  /** Registers a certificate (PEM) of a client. Answers its SHA-256 thumbprint, base64url. */
  addCertificate (clientId: string, pem: string, tenantId?: string): string
  /** Trusts the assertions of another issuer for a client. */
  trustFederation (clientId: string, federation: Pick<FederationRecord, 'issuer' | 'subject' | 'audience' | 'keys'>, tenantId?: string): void
  /** Tokens are signed by a new key from now on. Those before stay published, unless they are withdrawn. Resolves to its kid. */
  rotateSigningKey (withdrawFormer?: boolean): Promise<string>
  /** The public keys of an issuer that federated credentials made through Graph name. */
  federationKeys (issuer: string, keys: JWK[]): void
}

/** Thrown when a knob is turned for something that isn't there, or doesn't exist. */
export class ControlError extends Error {}

export function createControl (simulation: Simulation, brokerRoles: readonly string[]): SimulatorControl {
  const tenantOf = (tenantId?: string): Tenant => {
    const tenant = tenantId === undefined ? simulation.tenants.values().next().value : simulation.tenants.get(tenantId)
    if (tenant === undefined) throw new ControlError(`There is no tenant '${tenantId}'.`)
    return tenant
  }
  const applicationOf = (tenant: Tenant, clientId: string): ApplicationRecord => {
    const record = tenant.directory.applicationByAppId(clientId)
    if (record === undefined) throw new ControlError(`There is no application '${clientId}'.`)
    return record
  }
  const principalOf = (tenant: Tenant, name: string) => {
    const record = tenant.directory.principalByName(name)
    if (record === undefined) throw new ControlError(`There is no service principal '${name}'.`)
    return record
  }
  return {
    faults: simulation.faults,
    journal: simulation.journal,
    lag: (changes = {}) => ({ ...change(simulation.lag, changes) }),
    policy: (changes = {}, tenantId) => ({ ...change(tenantOf(tenantId).policy, changes) }),
    state (tenantId) {
      const { id, policy, directory } = tenantOf(tenantId)
      return {
        tenantId: id,
        policy: { ...policy },
        applications: [...directory.applications.values()].map(record => viewOf(record)),
        servicePrincipals: [...directory.principals.values()].map(record => viewOf(record)),
        deletedItems: [...directory.deleted.values()].map(record => ({ '@odata.type': `#microsoft.graph.${record.kind}`, ...viewOf(record) }))
      }
    },
    addTenant (tenantId) {
      if (tenantId !== undefined && simulation.tenants.has(tenantId)) throw new ControlError(`The tenant '${tenantId}' is there already.`)
      const tenant = addTenant(simulation, tenantId)
      seedTenant(tenant, brokerRoles, simulation.now())
      return { tenantId: tenant.id, broker: tenant.broker }
    },
    addClient: (displayName, tenantId) => addClient(tenantOf(tenantId), { displayName, nowMs: simulation.now() }),
    addResource (options, tenantId) {
      const tenant = tenantOf(tenantId)
      const taken = options.identifierUris.find(uri => tenant.directory.holderOfIdentifierUri(uri) !== undefined)
      if (taken !== undefined) throw new ControlError(`The App ID URI '${taken}' is taken.`)
      return addResource(tenant, options)
    },
    assignRole (clientId, resource, role, tenantId) {
      const tenant = tenantOf(tenantId)
      const principal = principalOf(tenant, clientId)
      principal.roleAssignments = [...principal.roleAssignments, { resourceAppId: principalOf(tenant, resource).appId, role }]
      simulation.changed()
    },
    requireAssignment (resource, isRequired, tenantId) {
      const tenant = tenantOf(tenantId)
      const principal = principalOf(tenant, resource)
      tenant.directory.write(principal, { properties: { ...principal.properties, appRoleAssignmentRequired: isRequired } })
    },
    addCertificate (clientId, pem, tenantId) {
      const record = applicationOf(tenantOf(tenantId), clientId)
      const certificate = certificateRecord(pem)
      record.certificates = [...record.certificates, certificate]
      simulation.changed()
      return certificate.thumbprint
    },
    trustFederation (clientId, federation, tenantId) {
      const record = applicationOf(tenantOf(tenantId), clientId)
      const id = randomUUID()
      record.federations = [...record.federations, { id, name: `control-${id}`, description: null, ...federation }]
      simulation.changed()
    },
    async rotateSigningKey (withdrawFormer = false) {
      const kid = await simulation.signer.rotate(withdrawFormer)
      simulation.changed()
      return kid
    },
    federationKeys (issuer, keys) {
      simulation.federationKeys.set(issuer, keys)
      simulation.changed()
    }
  }
}

/** Takes over known members only: a misspelt knob must not look turned. */
function change<Settings extends object> (settings: Settings, changes: Partial<Settings>): Settings {
  const unknown = Object.keys(changes).find(name => !Object.hasOwn(settings, name))
  if (unknown !== undefined) throw new ControlError(`There is no setting '${unknown}'.`)
  return Object.assign(settings, changes)
}
