// What the list of registrations can be filtered and sorted by.
import type { AuditField, AuditSortField, RegistrationField, RegistrationSortField } from '../../../registration/browse-port.ts'
import { oneOf, checkText, textField, timeField, uuidField, wordField, type ListShape } from '../listing/shape.ts'
import { deliveries, states, surfaces } from './schemas.ts'

export const registrationList: ListShape<RegistrationField, RegistrationSortField> = {
  filters: {
    id: uuidField('id', 'Id of the registration'),
    client_id: uuidField('clientId', 'Entra\'s appId', { optional: true }),
    client_name: textField('clientName', 'Name of the client'),
    state: wordField('state', 'State of the registration', states),
    provider: { column: 'provider', about: 'Name of the provider', operators: ['eq', 'oeq'], check: checkText },
    delivery: { column: 'delivery', about: 'What became of the answer', operators: ['eq'], check: oneOf(deliveries) },
    surface: wordField('surface', 'How it was registered', surfaces),
    application_id: { column: 'applicationId', about: 'Konnect\'s application', operators: ['eq'], check: checkText, optional: true },
    owner: textField('owner', 'Owner', { optional: true }),
    created_at: timeField('createdAt', 'Time of the registration (RFC 3339)'),
    updated_at: timeField('updatedAt', 'Time of the last change (RFC 3339)'),
    last_used_at: { ...timeField('lastUsedAt', 'Time of the last use (RFC 3339)'), optional: true }
  },
  sorts: {
    created_at: { column: 'createdAt', kind: 'time' },
    updated_at: { column: 'updatedAt', kind: 'time' },
    client_name: { column: 'clientName', kind: 'text' }
  },
  defaultSort: 'created_at desc',
  hasLabels: true
}

/** The audit of one registration. */
export const auditList: ListShape<AuditField, AuditSortField> = {
  filters: {
    action: textField('action', 'What was done'),
    actor: textField('actor', 'Who did it'),
    outcome: wordField('outcome', 'How it ended', ['succeeded', 'failed']),
    at: timeField('at', 'When it happened (RFC 3339)')
  },
  sorts: { at: { column: 'at', kind: 'time' } },
  defaultSort: 'at desc'
}
