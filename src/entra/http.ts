// The wire to one tenant: one kept-alive undici Agent for Graph and the token endpoint alike.
// Nothing is repeated and no redirect is followed; a failure says whether the request can have reached the other side.
import type { Dispatcher } from 'undici'
// The index loads all the rest with it: mocks, caches, cookies, WebSocket.
import Agent from 'undici/lib/dispatcher/agent.js'

const maxConnections = 64
const maxAnswerBytes = 4 * 1024 * 1024
/** 1xx answers before the one that counts: one is usual. */
const mostInterimAnswers = 16
/** Last resort for a caller without a deadline of its own. */
const silenceTimeoutMs = 30_000

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  url: string
  headers: Record<string, string>
  body?: string
  signal: AbortSignal
}

export interface HttpAnswer {
  status: number
  /** Lower-cased names. */
  headers: Readonly<Record<string, string | string[] | undefined>>
  text: string
}

/** No answer. `sent` false: surely nothing left this machine. */
export class HttpFailure extends Error {
  readonly sent: boolean
  /** ECONNREFUSED, UND_ERR_SOCKET, ABORTED … */
  readonly code: string

  constructor (code: string, sent: boolean, cause: unknown) {
    super(`no answer (${code})`, { cause })
    this.name = 'HttpFailure'
    this.code = code
    this.sent = sent
  }
}

export interface Http {
  /** One attempt. Rejects with HttpFailure as soon as `signal` aborts, the connection fails or the answer exceeds 4 MiB. */
  send (request: HttpRequest): Promise<HttpAnswer>
  close (): Promise<void>
  /** Takes nothing new; closes once what is in flight has been answered. */
  drain (): void
}

/** `connectTimeoutMs` bounds a connection attempt that outlives its request, so that the pool does not fill with dead ones. */
export function createHttp (connectTimeoutMs: number): Http {
  const agent = new Agent({
    connections: maxConnections,
    pipelining: 1,
    connect: { timeout: connectTimeoutMs },
    keepAliveTimeout: 20_000,
    keepAliveMaxTimeout: 60_000,
    headersTimeout: silenceTimeoutMs,
    bodyTimeout: silenceTimeoutMs,
    maxResponseSize: maxAnswerBytes
  })
  return {
    async send (request) {
      const { method, headers, body = null, signal } = request
      const { origin, pathname, search } = new URL(request.url)
      return await new Promise<HttpAnswer>((resolve, reject) => {
        const exchange = new Exchange(signal, resolve, reject)
        if (!exchange.over) agent.dispatch({ origin, path: pathname + search, method, headers, body }, exchange)
      })
    },
    close: async () => await agent.destroy(),
    drain: () => { agent.close().catch(() => undefined) }
  }
}

/** One request on its way: collects the answer, watches the signal, and knows whether the request reached a socket. */
class Exchange implements Dispatcher.DispatchHandler {
  over = false
  #sent = false
  #interimAnswers = 0
  #answer: Omit<HttpAnswer, 'text'> = { status: 0, headers: {} }
  readonly #chunks: Buffer[] = []
  #controller: Dispatcher.DispatchController | undefined
  readonly #signal: AbortSignal
  readonly #resolve: (answer: HttpAnswer) => void
  readonly #reject: (failure: HttpFailure) => void
  readonly #onAbort = (): void => this.#fail('ABORTED', this.#signal.reason)

  constructor (signal: AbortSignal, resolve: (answer: HttpAnswer) => void, reject: (failure: HttpFailure) => void) {
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    if (signal.aborted) this.#onAbort()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** undici: a socket is there and the request is about to be written. Aborting here keeps it from being written. */
  onRequestStart (controller: Dispatcher.DispatchController): void {
    if (this.over) return controller.abort(new Error('given up before it was sent'))
    this.#controller = controller
    this.#sent = true
  }

  onResponseStart (_controller: Dispatcher.DispatchController, status: number, headers: HttpAnswer['headers']): void {
    if (status < 200 && ++this.#interimAnswers > mostInterimAnswers) return this.#fail('TOO_MANY_INTERIM_ANSWERS', undefined)
    this.#answer = { status, headers }
  }

  onResponseData (_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  onResponseEnd (): void {
    if (this.#end()) this.#resolve({ ...this.#answer, text: Buffer.concat(this.#chunks).toString('utf8') })
  }

  onResponseError (_controller: Dispatcher.DispatchController, error: Error & { code?: string }): void {
    this.#fail(error.code ?? error.name, error)
  }

  #fail (code: string, cause: unknown): void {
    if (!this.#end()) return
    this.#reject(new HttpFailure(code, this.#sent, cause))
    this.#controller?.abort(new Error(code))
  }

  #end (): boolean {
    if (this.over) return false
    this.over = true
    this.#signal.removeEventListener('abort', this.#onAbort)
    return true
  }
}
