// Why a request with an idempotency key is not carried out.
import { RegistrationError } from '../registration/errors.ts'

const KEY = /^[\x20-\x7e]{1,255}$/
const RETRY_AFTER_SECONDS = 2

/** @throws RegistrationError invalid_request */
export function checkKey (key: unknown): asserts key is string {
  if (typeof key === 'string' && KEY.test(key)) return
  throw new RegistrationError('invalid_request', 'Idempotency-Key must have 1 to 255 printable ASCII characters.')
}

export function inFlight (): RegistrationError {
  return new RegistrationError('key_in_flight', 'A request with this Idempotency-Key is still under way. Repeat the same request to get its answer.',
    { retryAfterSeconds: RETRY_AFTER_SECONDS })
}

export function keyReused (): RegistrationError {
  return new RegistrationError('key_reused', 'This Idempotency-Key stands for another request. Use a new key for a new request.')
}

export function voided (): RegistrationError {
  return new RegistrationError('answer_void',
    'What this request made was changed or ended since, so its answer is not given again. Read what was made, or use a new Idempotency-Key to make another.')
}
