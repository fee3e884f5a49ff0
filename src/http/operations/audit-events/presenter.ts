// Audit events -> the wire. Names what is shown: nothing else leaves.
import type { ListedAuditEvent } from '../../../administration/audit-port.ts'
import type { AuditEventBody } from './schemas.ts'

export function presentAuditEvent (event: ListedAuditEvent): AuditEventBody {
  return {
    id: event.id,
    at: event.at.toISOString(),
    actor: event.actor,
    action: event.action,
    outcome: event.outcome,
    registration_id: event.registrationId,
    provider: event.providerName,
    request_id: event.requestId,
    source_address: event.sourceAddress,
    detail: event.detail,
    seq: event.seq
  }
}
