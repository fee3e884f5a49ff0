// RFC 7591 and RFC 7592 documents -> commands of the core.
import { RegistrationError } from '../../registration/errors.ts'
import { digestOf } from '../request-digest.ts'
import type { ReplaceDocument } from '../../registration/managed-client.ts'
import { textOrNull, toRequestedMetadata } from '../../registration/metadata/requested-document.ts'
import type { RegisterDocument } from '../../registration/register-document.ts'
import type { Caller } from '../../registration/registration.ts'
import { SERVER_MEMBERS, type ClientReplacementBody, type NewClientBody } from './schemas.ts'

const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/

/**
 * @param idempotencyKey the header; a repeat with the same key and document gets the same answer
 * @throws RegistrationError invalid_request for a key that is too long or not ASCII
 */
export function toRegisterDocument (body: NewClientBody, caller: Caller, idempotencyKey: string | string[] | undefined): RegisterDocument {
  // Everybody without a token is the same caller: what one of them has registered is not told to another.
  const key = caller.kind === 'anonymous' ? undefined : idempotencyKey
  if (key !== undefined && (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key))) {
    throw new RegistrationError('invalid_request', 'Idempotency-Key must have 1 to 255 printable ASCII characters.')
  }
  return { requested: toRequestedMetadata(body), fingerprint: key === undefined ? null : digestOf([key, caller.providerId, body]) }
}

/** @throws RegistrationError invalid_request for a document of another client, or with members that only the server writes */
export function toReplaceDocument (body: ClientReplacementBody, clientId: string): ReplaceDocument {
  const written = SERVER_MEMBERS.find(member => Object.hasOwn(body, member) && (body as Record<string, unknown>)[member] !== null)
  // RFC 7592 §2.2
  if (written !== undefined) throw new RegistrationError('invalid_request', `${written} must not be in the document: only the server writes it.`)
  const named = textOrNull(body.client_id)
  if (named === null) throw new RegistrationError('invalid_request', 'client_id is required: the one that was issued.')
  if (named.toLowerCase() !== clientId.toLowerCase()) throw new RegistrationError('invalid_request', 'client_id is not the client of this address.')
  return { requested: toRequestedMetadata(body), clientSecret: textOrNull(body.client_secret) }
}
