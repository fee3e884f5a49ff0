// What is wrong with a request before any use case is asked, in our words: the framework's own texts repeat what the caller sent.
// Each listener says it in its dialect.

/** 256 redirect URIs of 256 characters and some metadata fit; nothing a caller needs is larger. */
export const BODY_LIMIT_BYTES = 256 * 1024

const SENTENCES = {
  400: 'The request can\'t be read.',
  404: 'There is no such route.',
  408: 'The request did not arrive in time.',
  413: `The body is larger than ${BODY_LIMIT_BYTES / 1024} KiB.`,
  415: 'The body must be application/json.',
  429: 'Too many keys or tokens that are not valid have come from this address. Repeat the request later, with a valid one.',
  431: 'The headers are too large.',
  503: 'The broker is shutting down. Repeat the request.'
} as const

export type RefusalStatus = keyof typeof SENTENCES

const RETRY_AFTER_SECONDS = 5

/** A request that no use case will see. Its message is a sentence for the caller. */
export class RequestRefusal extends Error {
  readonly statusCode: RefusalStatus
  /** Of a 503: another replica will do. Of a 429: when failures are borne again. */
  readonly retryAfterSeconds: number | undefined

  constructor (statusCode: RefusalStatus, message: string = SENTENCES[statusCode], retryAfterSeconds = statusCode === 503 ? RETRY_AFTER_SECONDS : undefined) {
    super(message)
    this.name = 'RequestRefusal'
    this.statusCode = statusCode
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** A listener's form of a refusal where the framework gives none. */
export interface Dialect {
  contentType: string
  /** For a path that the router can't read. */
  unreadablePath: RequestRefusal
  bodyOf (refusal: RequestRefusal, requestId: string): object
}

/** An error of the framework as a refusal; null for all others, which are not the caller's fault. */
export function toRefusal (error: Error & { code?: unknown, statusCode?: unknown }): RequestRefusal | null {
  if (error instanceof RequestRefusal) return error
  if (error.code === 'FST_ERR_CTP_INVALID_JSON_BODY') {
    return new RequestRefusal(400, 'The body is not JSON, or has a member __proto__ or constructor.prototype.')
  }
  return isRefusalStatus(error.statusCode) ? new RequestRefusal(error.statusCode) : null
}

function isRefusalStatus (status: unknown): status is RefusalStatus {
  return typeof status === 'number' && Object.hasOwn(SENTENCES, status)
}
