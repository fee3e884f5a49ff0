// MSAL's way to the network: our wire, bounded by a signal, to the token endpoint and nowhere else.
// MSAL's own errors lose the status, the headers and the cause, so the answer is kept here for whoever asked.
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node'
import { HttpFailure, type Http, type HttpAnswer } from './http.ts'
import { parseJson } from './json.ts'

export class TokenEndpointClient implements INetworkModule {
  answer: HttpAnswer | undefined
  failure: HttpFailure | undefined
  readonly #http: Http
  readonly #tokenEndpoint: string
  readonly #signal: AbortSignal

  constructor (http: Http, tokenEndpoint: string, signal: AbortSignal) {
    this.#http = http
    this.#tokenEndpoint = tokenEndpoint
    this.#signal = signal
  }

  /** MSAL would only GET discovery documents; it is given all it needs to know. */
  async sendGetRequestAsync<T>(): Promise<NetworkResponse<T>> {
    throw new Error('discovery is not used')
  }

  async sendPostRequestAsync<T>(url: string, options: NetworkRequestOptions = {}): Promise<NetworkResponse<T>> {
    if (url.split('?')[0] !== this.#tokenEndpoint) throw new Error('only the token endpoint is called')
    try {
      this.answer = await this.#http.send({
        method: 'POST', url, headers: { ...options.headers }, body: options.body ?? '', signal: this.#signal
      })
    } catch (error) {
      if (error instanceof HttpFailure) this.failure = error
      throw error
    }
    // MSAL reads members of the body whatever the status, so a page of HTML becomes an empty object.
    const { status, headers, text } = this.answer
    const body = (parseJson(text) ?? {}) as T
    return { status, body, headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])) }
  }
}
