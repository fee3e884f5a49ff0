// The one error of the core. A surface turns its code into a status in its own dialect (http/<surface>/errors.ts).

export type RegistrationErrorCode =
  | 'invalid_client_metadata' // the caller's document can't be registered
  | 'invalid_redirect_uri'
  | 'invalid_request' // the request contradicts itself
  | 'unknown_client' // not there, or not this caller's
  | 'unknown_secret'
  | 'invalid_token' // no such registration access token, or of another client (RFC 7592 §2: an unknown client too)
  | 'not_permitted' // the client is administratively switched off
  | 'registration_quota' // the token or the policy allows no more clients
  | 'secret_limit' // no more secrets for this client
  | 'wrong_state' // the registration is not in a state that allows it
  | 'drifted' // Entra's side is gone: deleted in the portal
  | 'busy' // another operation holds the client until after our deadline
  | 'temporarily_unavailable' // Graph or the database does not answer; the work goes on or is undone
  | 'throttled_upstream' // Entra asked us to wait longer than the deadline
  | 'upstream_credential' // Entra refuses the broker's own credential
  | 'upstream_permission' // the broker lacks a Graph permission
  | 'upstream_policy' // a tenant policy forbids it
  | 'upstream_quota' // the directory is full
  | 'upstream_rejected' // Graph refused what we sent
  | 'credential_unreadable' // a sealed secret does not open
  | 'key_in_flight' // a request with this idempotency key is being served
  | 'key_reused' // the idempotency key stands for another request
  | 'answer_void' // what the idempotency key has made was changed since

export class RegistrationError extends Error {
  readonly code: RegistrationErrorCode
  /** A sentence for the caller: no upstream text, no ids but his own. */
  readonly publicMessage: string
  readonly retryAfterSeconds: number | undefined

  constructor (code: RegistrationErrorCode, publicMessage: string, options: { cause?: unknown, retryAfterSeconds?: number | undefined } = {}) {
    super(publicMessage, { cause: options.cause })
    this.name = 'RegistrationError'
    this.code = code
    this.publicMessage = publicMessage
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** The row went to another replica: whatever is not committed belongs to nobody. Never leaves the core. */
export class LeaseLostError extends Error {
  constructor () {
    super('The lease of the registration was lost')
    this.name = 'LeaseLostError'
  }
}
