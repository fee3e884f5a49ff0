// How long a listener waits for its callers, and how much it takes from them before anybody is known. docs/operations.md explains them.

/** Times in milliseconds. */
export interface TransportLimits {
  /** From the first byte, or from the connection, to the end of the headers. */
  headersMs: number
  /** The same to the end of the body. */
  requestMs: number
  /** How often these two are looked after: Node closes what is late at the next look, and looks every 30 s by itself. */
  checkIntervalMs: number
  /** A connection on which nothing moves in either direction during a request. */
  silenceMs: number
  /** A connection between two requests. */
  idleMs: number
  /** Of the line and the headers of a request together. */
  headerBytes: number
  /** Headers of a request. */
  headers: number
  /** Requests of a connection. */
  requests: number
  /** Requests of a connection whose answers have not left yet. */
  pipelined: number
  /** Of a listener. */
  connections: number
}

export const TRANSPORT_LIMITS: Readonly<TransportLimits> = {
  headersMs: 10_000,
  requestMs: 10_000,
  checkIntervalMs: 1_000,
  silenceMs: 60_000,
  // Longer than a proxy keeps its connections (60 s is usual): who closes first must not be we, just as the next request is on its way.
  idleMs: 72_000,
  headerBytes: 16 * 1024,
  headers: 100,
  // Replicas that come later get their share.
  requests: 10_000,
  // Hardly anybody sends a request before the answer to the one before: whoever sends thousands takes the time of all others.
  pipelined: 32,
  // More than a proxy opens. Memory is what it protects: a connection that waits costs some 20 KB.
  connections: 8_192
}
