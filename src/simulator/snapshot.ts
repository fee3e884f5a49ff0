// The whole state of a simulator as JSON, to survive a restart. It holds the signing key and the broker's secret: keep it private.
import type { JWK } from 'jose'
import { addTenant } from './tenants.ts'
import type { Simulation, TenantSnapshot } from './tenants.ts'

export interface SimulatorSnapshot {
  version: 1
  signingKey: JWK
  tenants: TenantSnapshot[]
}

export function takeSnapshot (simulation: Simulation): SimulatorSnapshot {
  return {
    version: 1,
    signingKey: simulation.signer.privateJwk,
    tenants: [...simulation.tenants.values()].map(({ id, policyId, policy, broker, directory }) =>
      ({ tenantId: id, policyId, policy: { ...policy }, broker: { ...broker }, directory: directory.snapshot() }))
  }
}

/** Fills a simulation without tenants. */
export function loadSnapshot (simulation: Simulation, snapshot: SimulatorSnapshot): void {
  for (const { tenantId, policyId, policy, broker, directory } of snapshot.tenants) {
    const tenant = addTenant(simulation, tenantId)
    Object.assign(tenant, { policyId, broker: { ...broker }, policy: { ...tenant.policy, ...policy } })
    tenant.directory.load(directory)
  }
}
