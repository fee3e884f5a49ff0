// Policies -> the wire of the operations API.
import type { PolicyVersion, StoredPolicy } from '../../../administration/policies-port.ts'
import { documentOfRules } from '../../../administration/policy-document.ts'

export function presentPolicy (policy: StoredPolicy) {
  return {
    id: policy.id,
    name: policy.name,
    version: policy.version,
    rules: documentOfRules(policy.rules),
    callers: policy.callers,
    registrations: policy.registrations,
    created_at: policy.createdAt.toISOString(),
    updated_at: policy.updatedAt.toISOString()
  }
}

export function presentVersion ({ version, rules, createdBy, createdAt }: PolicyVersion) {
  return { version, rules: documentOfRules(rules), created_by: createdBy, created_at: createdAt.toISOString() }
}
