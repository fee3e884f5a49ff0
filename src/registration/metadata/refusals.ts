// Sentences that refuse a document. ASCII only (RFC 7591 §3.2.2), and what the caller wrote stands in them only where it is harmless.
import { RegistrationError } from '../errors.ts'
import type { Json } from '../registration.ts'

const MAX_LISTED = 20

/** An invalid_client_metadata to throw. */
export function refusal (sentence: string): RegistrationError {
  return new RegistrationError('invalid_client_metadata', sentence)
}

/** A short printable text in quotes; anything else is not repeated. */
export function quoted (text: string): string {
  return /^[\x20-\x7e]{1,60}$/.test(text) ? `'${text}'` : 'what is not shown here'
}

/** What would be accepted. */
export function listed (accepted: readonly string[]): string {
  if (accepted.length === 0) return 'nothing'
  const shown = accepted.slice(0, MAX_LISTED).map(text => text.replace(/[^\x20-\x7e]/g, '?')).join(', ')
  return accepted.length > MAX_LISTED ? `${shown} and ${accepted.length - MAX_LISTED} more` : shown
}

export function isObject (value: Json): value is { [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
