// The audit as operators see it.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { AuditReader } from '../../../administration/audit.ts'
import { callerOf } from '../authentication.ts'
import { readByListQuery, readListQuery } from '../listing/list-query.ts'
import { presentPage } from '../listing/pages.ts'
import { auditEventList } from './list-shape.ts'
import { presentAuditEvent } from './presenter.ts'
import { listAuditEvents } from './route-schemas.ts'

export interface AuditRoutesOptions {
  audit: AuditReader
}

export const auditRoutes: FastifyPluginAsyncTypebox<AuditRoutesOptions> = async (server, { audit }) => {
  server.get('/audit-events', { schema: listAuditEvents, config: { scope: 'audit' }, ...readByListQuery(server) }, async request => {
    const query = readListQuery(auditEventList, request.query)
    const page = await audit.list(query, callerOf(request))
    return presentPage(page, presentAuditEvent, query, request.routeOptions.url ?? request.url, request.query)
  })
}
