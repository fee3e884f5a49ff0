// What every grant of the token endpoints gets, and how the format of an access token is decided.
import type { Form } from './client-authentication.ts'
import type { PrincipalRecord } from './records.ts'
import type { Simulation, Tenant } from './tenants.ts'

export interface GrantCall {
  simulation: Simulation
  tenant: Tenant
  endpoint: 'v1' | 'v2'
  form: Form
  /** All values of the parameter `resource`. */
  resources: readonly string[]
  authorization: string | undefined
  /** The header `Origin`: a browser sends it with every cross-origin POST. */
  origin: string | undefined
  /** Lets the browser's script read this answer, be it a success or an error. */
  allowOrigin (): void
}

/** Resolves the body of the answer. Throws AadstsError. */
export type Grant = (call: GrantCall) => Promise<object>

/** Entra: the format is the RESOURCE's choice, whatever the endpoint. v2 names it by its appId, v1 as the client did. */
export function formatOf ({ directory }: Tenant, resource: PrincipalRecord, named: string): { version: 1 | 2, audience: string } {
  const version = directory.applicationByAppId(resource.appId)?.properties.api?.requestedAccessTokenVersion
  return version === 2 ? { version: 2, audience: resource.appId } : { version: 1, audience: named }
}
