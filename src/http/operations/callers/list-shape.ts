// What the list of callers can be filtered and sorted by.
import type { CallerField, CallerSortField } from '../../../administration/callers-port.ts'
import { checkText, oneOf, textField, timeField, uuidField, wordField, type ListShape } from '../listing/shape.ts'
import { kinds, origins } from './schemas.ts'

export const callerList: ListShape<CallerField, CallerSortField> = {
  filters: {
    id: uuidField('id', 'Id of the caller'),
    name: textField('name', 'Name of the caller'),
    kind: wordField('kind', 'Kind of the caller', kinds),
    provider: { column: 'provider', about: 'Name of the provider', operators: ['eq', 'oeq'], check: checkText },
    origin: wordField('origin', 'Where it comes from', origins),
    revoked: { column: 'revoked', about: 'Whether it is revoked', operators: ['eq'], check: oneOf(['true', 'false']) },
    created_at: timeField('createdAt', 'Time it was made (RFC 3339)'),
    expires_at: { ...timeField('expiresAt', 'Its end (RFC 3339)') },
    last_used_at: { ...timeField('lastUsedAt', 'Time of its last request (RFC 3339)') }
  },
  sorts: {
    created_at: { column: 'createdAt', kind: 'time' },
    name: { column: 'name', kind: 'text' }
  },
  defaultSort: 'created_at desc'
}
