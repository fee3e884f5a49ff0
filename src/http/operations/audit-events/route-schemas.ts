// What the route of the audit takes and answers.
import { type DescribedRoute } from '../../plugins/openapi.ts'
import { answer, commonFailures } from '../answers.ts'
import { listQuerySchema } from '../listing/list-query.ts'
import { auditEventList } from './list-shape.ts'
import { AuditEventList } from './schemas.ts'

export const listAuditEvents = {
  tags: ['Audit'],
  security: [{ operatorKey: ['audit'] }],
  operationId: 'listAuditEvents',
  summary: 'List audit events',
  description: 'Newest first unless sorted otherwise. Filters are joined by and; one by time keeps the list short where it has grown for years.',
  querystring: listQuerySchema(auditEventList),
  response: { 200: answer(AuditEventList, 'A page of audit events.'), ...commonFailures }
} satisfies DescribedRoute
