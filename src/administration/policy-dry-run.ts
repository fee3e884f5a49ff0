// Use case: what a registration would become under a policy, at a provider. Nothing is made, and nothing is counted.
import type { RequestedMetadata } from '../registration/metadata/requested-metadata.ts'
import { defaultRules, type Policy } from '../registration/policy.ts'
import type { Ports } from '../registration/ports.ts'
import { documentOfPreview, judgeDocument } from '../registration/preview.ts'
import { AdministrationError } from './errors.ts'
import type { GivenRules } from './policies-port.ts'

export interface DryRun {
  policy: Pick<Policy, 'name' | 'rules'>
  requested: RequestedMetadata
  /** Null: the operator's, or `default`. */
  providerName: string | null
}

export type PolicyDryRun = (wanted: DryRun, scope: string | null) => DryRunDocument
export type DryRunDocument = ReturnType<typeof judge>

const DEFAULT_PROVIDER = 'default'
/** Of rules that are not stored. */
const UNSTORED = '(not stored)'

/** Its function throws AdministrationError invalid for a provider that is not there or not the operator's (`scope`; null: all are). */
export function createPolicyDryRun (ports: Pick<Ports, 'catalogue' | 'clock'>): PolicyDryRun {
  return (wanted, scope) => judge(ports, wanted, scope)
}

export function unstoredPolicy (given: GivenRules): DryRun['policy'] {
  return { name: UNSTORED, rules: { ...defaultRules, ...given } }
}

function judge (ports: Pick<Ports, 'catalogue' | 'clock'>, { policy, requested, providerName }: DryRun, scope: string | null) {
  const { catalogue } = ports
  const provider = providerName === null && scope !== null ? catalogue.provider(scope) : catalogue.providerNamed(providerName ?? DEFAULT_PROVIDER)
  if (provider === null || (scope !== null && provider.id !== scope)) throw new AdministrationError('There is no such provider.', 'invalid', 'provider')
  const judged = judgeDocument(ports, policy, provider.id, requested)
  if (!('refusals' in judged)) return { ...documentOfPreview(judged), provider: provider.name, accepted: true, refusals: [] }
  const refusals = judged.refusals.map(({ code, publicMessage }) => ({ error: code, error_description: publicMessage }))
  return { policy: policy.name, provider: provider.name, accepted: false, refusals }
}
