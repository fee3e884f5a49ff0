// What the list of audit events can be filtered and sorted by.
import type { AuditField, AuditSortField } from '../../../administration/audit-port.ts'
import { checkText, textField, timeField, uuidField, wordField, type ListShape } from '../listing/shape.ts'

export const auditEventList: ListShape<AuditField, AuditSortField> = {
  filters: {
    id: uuidField('id', 'Id of the event'),
    actor: textField('actor', 'Who acted'),
    action: textField('action', 'What was done'),
    outcome: wordField('outcome', 'How it ended', ['succeeded', 'failed']),
    registration_id: uuidField('registrationId', 'Id of the registration', { optional: true }),
    provider: { column: 'provider', about: 'Name of the provider', operators: ['eq', 'oeq'], check: checkText, optional: true },
    request_id: { column: 'requestId', about: 'Id of the request', operators: ['eq', 'oeq'], check: checkText, optional: true },
    at: timeField('at', 'Time of the event (RFC 3339)')
  },
  sorts: { at: { column: 'at', kind: 'time' } },
  defaultSort: 'at desc'
}
