// Permits -> the wire.
import type { AdoptionPermit } from '../../../administration/adoptions-port.ts'
import type { AdoptionPermitBody } from './schemas.ts'

export function presentPermit (permit: AdoptionPermit): AdoptionPermitBody {
  return {
    id: permit.id,
    provider: permit.provider,
    client_id: permit.clientId,
    provider_enabled: permit.isEnabled,
    created_by: permit.createdBy,
    created_at: permit.createdAt.toISOString(),
    used_at: permit.usedAt?.toISOString() ?? null
  }
}
