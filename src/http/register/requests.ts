// RFC 7591 and RFC 7592 documents -> commands of the core.
import type { OpenRequest } from '../../idempotency/idempotent-requests.ts'
import { RegistrationError } from '../../registration/errors.ts'
import { digestOf } from '../request-digest.ts'
import type { ReplaceDocument } from '../../registration/managed-client.ts'
import { textOrNull, toRequestedMetadata } from '../../registration/metadata/requested-document.ts'
import type { RegisterDocument } from '../../registration/register-document.ts'
import type { Caller } from '../../registration/registration.ts'
import { SERVER_MEMBERS, type ClientReplacementBody, type NewClientBody } from './schemas.ts'

/** @param keyed the record of the request's idempotency key, if it has one: a repeat finds what this one has begun */
export function toRegisterDocument (
  body: NewClientBody, caller: Caller, keyed: OpenRequest | null, idempotencyKey: string | string[] | undefined
): RegisterDocument {
  const requested = toRequestedMetadata(body)
  if (keyed === null || keyed.resourceId === null) return { requested, fingerprint: null, slot: null }
  // A replica of the release before knows the key by this alone.
  const fingerprint = digestOf([idempotencyKey, caller.providerId, body])
  return { requested, fingerprint, slot: { registrationId: keyed.resourceId, isResumed: keyed.isResumed } }
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
