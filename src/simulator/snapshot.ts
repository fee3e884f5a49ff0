// The whole state of a simulator as JSON, to survive a restart. It holds the signing key and the broker's secret: keep it private.
import type { JWK } from 'jose'
import { addTenant } from './tenants.ts'
import type { Simulation, TenantSnapshot } from './tenants.ts'

export interface SimulatorSnapshot {
  version: 1
  signingKey: JWK
  /** Keys by issuer. Absent in older snapshots. */
  federationKeys?: Record<string, JWK[]>
  tenants: TenantSnapshot[]
}

export function takeSnapshot (simulation: Simulation): SimulatorSnapshot {
  return {
    version: 1,
    signingKey: simulation.signer.privateJwk,
    federationKeys: Object.fromEntries(simulation.federationKeys),
    tenants: [...simulation.tenants.values()].map(({ id, policyId, policy, broker, directory, permissionGrants, signIns }) => ({
      tenantId: id,
      policyId,
      policy: { ...policy },
      broker: { ...broker },
      directory: directory.snapshot(),
      permissionGrants: [...permissionGrants],
      signIns: signIns.snapshot()
    }))
  }
}

/** Fills a simulation without tenants. */
export function loadSnapshot (simulation: Simulation, snapshot: SimulatorSnapshot): void {
  for (const [issuer, keys] of Object.entries(snapshot.federationKeys ?? {})) simulation.federationKeys.set(issuer, keys)
  for (const { tenantId, policyId, policy, broker, directory, permissionGrants = [], signIns } of snapshot.tenants) {
    const tenant = addTenant(simulation, tenantId)
    Object.assign(tenant, { policyId, broker: { ...broker }, policy: { ...tenant.policy, ...policy }, permissionGrants })
    tenant.directory.load(directory)
    if (signIns !== undefined) tenant.signIns.load(signIns)
  }
}
