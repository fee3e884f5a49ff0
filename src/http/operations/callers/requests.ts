// Bodies of the callers' routes -> what the use cases take.
import type { WantedCaller } from '../../../administration/callers.ts'
import type { CallerChanges, Expiry } from '../../../administration/callers-port.ts'
import { invalidParametersError } from '../problems.ts'
import { parseDateTime } from '../values.ts'
import type { CallerChangesBodyType, NewCallerBodyType } from './schemas.ts'

const DAY_MS = 86_400_000

export function toWantedCaller (body: NewCallerBodyType): WantedCaller {
  return {
    kind: body.kind,
    name: body.name,
    providerName: body.provider ?? null,
    policyName: body.policy ?? null,
    scopes: body.scopes,
    maxRegistrations: body.max_registrations ?? null,
    expiry: expiryOf(body)
  }
}

export function toCallerChanges (body: CallerChangesBodyType): CallerChanges {
  return {
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(body.scopes === undefined ? {} : { scopes: body.scopes }),
    ...(body.policy === undefined ? {} : { policyName: body.policy }),
    ...(body.max_registrations === undefined ? {} : { maxRegistrations: body.max_registrations }),
    ...(body.expires_at === undefined ? {} : { expiry: atTime(body.expires_at) })
  }
}

function expiryOf ({ expires_at: at = null, expires_in_days: days }: NewCallerBodyType): Expiry {
  if (days === undefined) return atTime(at)
  if (at === null) return { inMs: days * DAY_MS }
  throw invalidParametersError([{ field: 'expires_in_days', rule: 'invalid', reason: 'expires_at and expires_in_days exclude each other.', source: 'body' }])
}

function atTime (text: string | null): Expiry {
  if (text === null) return null
  const at = parseDateTime(text)
  if (at !== null) return { at }
  throw invalidParametersError([{ field: 'expires_at', rule: 'is_date_time', reason: 'The value must be an RFC 3339 time with an offset.', source: 'body' }])
}
