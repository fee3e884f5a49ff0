// Callers -> the wire of the operations API. Names what is shown: nothing else leaves.
import type { CallerSummary } from '../../../administration/callers-port.ts'
import type { CallerBody, CallerState } from './schemas.ts'

export function presentCaller (caller: CallerSummary): CallerBody {
  return {
    id: caller.id,
    // The holder of a registration access token has no row.
    kind: caller.kind as CallerBody['kind'],
    name: caller.name,
    origin: caller.origin,
    state: stateOf(caller),
    provider: caller.providerName,
    scopes: caller.scopes,
    policy: caller.policyName,
    max_registrations: caller.maxRegistrations,
    registrations: caller.registrations,
    created_at: caller.createdAt.toISOString(),
    expires_at: caller.expiresAt?.toISOString() ?? null,
    revoked_at: caller.revokedAt?.toISOString() ?? null,
    last_used_at: caller.lastUsedAt?.toISOString() ?? null
  }
}

function stateOf ({ revokedAt, expiresAt }: CallerSummary): CallerState {
  if (revokedAt !== null) return 'revoked'
  return expiresAt !== null && expiresAt.getTime() <= Date.now() ? 'expired' : 'living'
}
