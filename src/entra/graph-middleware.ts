// The Graph SDK's middleware chain: token, request id, wire. Nothing else is in it; above all not the SDK's retry handler,
// which would send a POST again after a 504 and make a second object.
import { GraphClientError, type Context, type Middleware, type MiddlewareOptions } from '@microsoft/microsoft-graph-client'
import { randomUUID } from 'node:crypto'
import type { BrokerToken } from './broker-token.ts'
import { HttpFailure, type Http, type HttpAnswer, type HttpRequest } from './http.ts'

/** The SDK's own handler sends a token to https Graph hosts only; the address was checked when it was configured. */
export class Authentication implements Middleware {
  #next: Middleware | undefined
  readonly #token: BrokerToken

  constructor (token: BrokerToken) {
    this.#token = token
  }

  setNext (next: Middleware): void {
    this.#next = next
  }

  async execute (context: Context): Promise<void> {
    const token = await this.#attempt(context)
    if (context.response?.status !== 401) return
    // Graph refuses a token before it does anything, so this one repetition can't do a thing twice.
    this.#token.invalidate(token)
    await this.#attempt(context)
  }

  async #attempt (context: Context): Promise<string> {
    const token = await keepingCause(this.#token.get(signalOf(context)))
    headersOf(context)['authorization'] = `Bearer ${token}`
    await this.#next?.execute(context)
    return token
  }
}

/** Given with a request, it is told the ids under which the request was sent. */
export class SentIds implements MiddlewareOptions {
  /** The newest last; two when Graph refused the token at first. */
  readonly ids: string[] = []
}

/** A fresh id per attempt, by which Microsoft's support finds it. */
export class RequestIds implements Middleware {
  #next: Middleware | undefined

  setNext (next: Middleware): void {
    this.#next = next
  }

  async execute (context: Context): Promise<void> {
    const id = randomUUID()
    headersOf(context)['client-request-id'] = id
    const options = context.middlewareControl?.getMiddlewareOptions(SentIds)
    if (options instanceof SentIds) options.ids.push(id)
    await this.#next?.execute(context)
  }
}

/** Ends the chain. The SDK wants a fetch Response; the answer itself is left for graph-client.ts, which needs no second copy. */
export class Wire implements Middleware {
  readonly #http: Http
  readonly #root: string
  readonly #answers = new WeakMap<Response, HttpAnswer>()

  /** `root`: below it lie all addresses that a token is sent to. */
  constructor (http: Http, root: string) {
    this.#http = http
    this.#root = root
  }

  async execute (context: Context): Promise<void> {
    const { method, body } = context.options ?? {}
    const url = String(context.request)
    // The SDK makes an address of what it is given; the token goes with it.
    if (!url.startsWith(`${this.#root}/`) || new URL(url).origin !== new URL(this.#root).origin) {
      throw wrapped(new HttpFailure('FOREIGN_ADDRESS', false, undefined))
    }
    const answer = await keepingCause(this.#http.send({
      method: (method ?? 'GET') as HttpRequest['method'],
      url,
      headers: headersOf(context),
      ...(typeof body === 'string' && { body }),
      signal: signalOf(context)
    }))
    context.response = new Response(null, { status: answer.status })
    this.#answers.set(context.response, answer)
  }

  answerOf (response: Response): HttpAnswer | undefined {
    return this.#answers.get(response)
  }
}

/** The SDK flattens every error but its own kind to a message; wrapped in one, ours arrives whole. */
async function keepingCause<T> (promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    throw wrapped(error)
  }
}

function wrapped (error: unknown): GraphClientError {
  const wrapping = new GraphClientError('no answer')
  wrapping.customError = error
  return wrapping
}

/** The error that was wrapped, or the error itself. */
export function unwrapped (error: unknown): unknown {
  return error instanceof GraphClientError ? error.customError ?? error : error
}

function headersOf (context: Context): Record<string, string> {
  context.options ??= {}
  // GraphRequest puts a plain object here.
  return (context.options.headers ??= {}) as Record<string, string>
}

function signalOf (context: Context): AbortSignal {
  const signal = context.options?.signal
  if (!(signal instanceof AbortSignal)) throw new TypeError('a Graph call needs a signal')
  return signal
}
