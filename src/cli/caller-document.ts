// A caller as the CLI shows it.
import type { CallerSummary } from '../administration/callers-port.ts'

export function callerDocument (caller: CallerSummary) {
  return {
    id: caller.id,
    kind: caller.kind,
    name: caller.name,
    origin: caller.origin,
    state: stateOf(caller),
    provider: caller.providerName,
    policy: caller.policyName,
    scopes: caller.scopes,
    registrations: caller.registrations,
    max_registrations: caller.maxRegistrations,
    created_at: caller.createdAt.toISOString(),
    expires_at: caller.expiresAt?.toISOString() ?? null,
    revoked_at: caller.revokedAt?.toISOString() ?? null,
    last_used_at: caller.lastUsedAt?.toISOString() ?? null
  }
}

function stateOf ({ revokedAt, expiresAt }: CallerSummary): 'living' | 'expired' | 'revoked' {
  if (revokedAt !== null) return 'revoked'
  return expiresAt !== null && expiresAt.getTime() <= Date.now() ? 'expired' : 'living'
}
