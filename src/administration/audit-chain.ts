// The chain over the audit: mac(n) = HMAC(key, n, mac(n-1), event n). Whoever lacks the key can't edit, leave out, add or reorder
// an event without breaking it.
import { canonicalJson } from '../registration/metadata/canonical-json.ts'
import type { AuditEvent, AuditMacs, AuditSeal } from './audit-port.ts'

/** The seals of the next events, in their order. */
export function sealsOf (macs: AuditMacs, last: AuditSeal | null, events: readonly AuditEvent[]): AuditSeal[] {
  const seals: AuditSeal[] = []
  let before = last
  for (const event of events) {
    const seq = (before?.seq ?? 0) + 1
    const { pepperId, digest } = macOf(macs, seq, before?.mac ?? null, event)
    before = { seq, eventId: event.id, mac: digest, pepperId }
    seals.push(before)
  }
  return seals
}

/** @param before the MAC of the event before; null: there is none */
export function macOf (macs: AuditMacs, seq: number, before: Uint8Array | null, event: AuditEvent, pepperId?: string) {
  return macs.auditMac('event', [String(seq), hex(before ?? new Uint8Array()), canonicalEvent(event)], pepperId)
}

export function hex (bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

// A list, not an object: a member that is added later must not change the form of what is sealed already.
function canonicalEvent (event: AuditEvent): string {
  return canonicalJson([
    event.id, event.at.toISOString(), event.actor, event.action, event.outcome, event.registrationId, event.providerId, event.requestId,
    event.sourceAddress, event.detail
  ])
}
