// What the list of permits can be filtered and sorted by.
import type { PermitField, PermitSortField } from '../../../administration/adoptions-port.ts'
import { checkText, timeField, uuidField, type ListShape } from '../listing/shape.ts'

export const permitList: ListShape<PermitField, PermitSortField> = {
  filters: {
    provider: { column: 'provider', about: 'Name of the provider', operators: ['eq', 'oeq'], check: checkText },
    client_id: uuidField('clientId', 'The appId'),
    used_at: timeField('usedAt', 'When it was adopted (RFC 3339)'),
    created_at: timeField('createdAt', 'When it was permitted (RFC 3339)')
  },
  sorts: { created_at: { column: 'createdAt', kind: 'time' } },
  defaultSort: 'created_at desc'
}
