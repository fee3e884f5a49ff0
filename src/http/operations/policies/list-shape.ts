// What the list of policies can be filtered and sorted by.
import type { PolicyField, PolicySortField } from '../../../administration/policies-port.ts'
import { textField, timeField, uuidField, type ListShape } from '../listing/shape.ts'

export const policyList: ListShape<PolicyField, PolicySortField> = {
  filters: {
    id: uuidField('id', 'Id of the policy'),
    name: textField('name', 'Name'),
    created_at: timeField('createdAt', 'Time of its making (RFC 3339)'),
    updated_at: timeField('updatedAt', 'Time of the newest version (RFC 3339)')
  },
  sorts: {
    name: { column: 'name', kind: 'text' },
    created_at: { column: 'createdAt', kind: 'time' },
    updated_at: { column: 'updatedAt', kind: 'time' }
  },
  defaultSort: 'name asc'
}
