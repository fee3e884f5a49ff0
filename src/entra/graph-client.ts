// Graph over Microsoft's SDK: one call, one attempt, and DirectoryError for everything but a success.
import { Client, ResponseType, type GraphRequest } from '@microsoft/microsoft-graph-client'
import { DirectoryError } from '../registration/ports.ts'
import type { BrokerToken } from './broker-token.ts'
import type { Cloud } from './clouds.ts'
import { graphError, graphFailure, unreadableAnswer } from './graph-errors.ts'
import { Authentication, RequestIds, SentIds, unwrapped, Wire } from './graph-middleware.ts'
import { HttpFailure, type Http, type HttpAnswer } from './http.ts'
import { parseJson } from './json.ts'

export interface GraphCall {
  /** For messages and metrics: "create application". */
  name: string
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below the version, beginning with a slash; values in it have been through odata.ts. */
  path: string
  body?: object
  headers?: Record<string, string>
}

export interface GraphAnswer {
  status: number
  /** Parsed JSON; undefined for an empty or unreadable body. */
  body: unknown
  /** The error for a body that is not what was expected. */
  unreadable: () => DirectoryError
}

/** What became of one attempt, for metrics and logs. `status` 0: no answer. */
export interface GraphObservation {
  call: string
  method: GraphCall['method']
  status: number
  durationMs: number
  /** The `client-request-id` it was sent under; null: it was not sent. */
  clientRequestId: string | null
  /** Graph's own id of it, which Microsoft's support asks for; null: no answer. */
  graphRequestId: string | null
  error: DirectoryError | null
}

export interface GraphClient {
  /** Resolves for 2xx only; throws DirectoryError for everything else. */
  call (call: GraphCall, signal: AbortSignal): Promise<GraphAnswer>
  /** The path of a continuation link, if it leads where this client's calls go; null for any other address. */
  pathOf (nextLink: string): string | null
}

export function createGraphClient (options: {
  cloud: Cloud
  http: Http
  token: BrokerToken
  observe?: ((observation: GraphObservation) => void) | undefined
}): GraphClient {
  const { cloud, http, token, observe } = options
  const root = `${cloud.graphBaseUrl}/${cloud.graphVersion}`
  const wire = new Wire(http, root)
  const sdk = Client.initWithMiddleware({
    baseUrl: cloud.graphBaseUrl,
    defaultVersion: cloud.graphVersion,
    middleware: [new Authentication(token), new RequestIds(), wire]
  })
  async function attempt (call: GraphCall, sent: SentIds, signal: AbortSignal): Promise<HttpAnswer> {
    const writes = call.method !== 'GET'
    let answer: HttpAnswer | undefined
    try {
      const request = sdk.api(call.path).headers(call.headers ?? {}).option('signal', signal).responseType(ResponseType.RAW).middlewareOptions([sent])
      answer = wire.answerOf(await send(request, call))
    } catch (error) {
      throw asDirectoryError(call, unwrapped(error), writes)
    }
    if (answer === undefined) throw new DirectoryError('unavailable', `Graph's answer to ${call.name} is lost`, { outcomeUnknown: writes })
    if (answer.status >= 200 && answer.status < 300) return answer
    throw graphError(call.name, answer, writes)
  }

  return {
    async call (call, signal) {
      const startedMs = performance.now()
      const sent = new SentIds()
      const report = (status: number, graphRequestId: unknown, error: DirectoryError | null): void => observe?.({
        call: call.name,
        method: call.method,
        status,
        durationMs: performance.now() - startedMs,
        clientRequestId: sent.ids.at(-1) ?? null,
        graphRequestId: typeof graphRequestId === 'string' ? graphRequestId.slice(0, 64) : null,
        error
      })
      try {
        const answer = await attempt(call, sent, signal)
        report(answer.status, answer.headers['request-id'], null)
        return { status: answer.status, body: parseJson(answer.text), unreadable: () => unreadableAnswer(call.name, answer, call.method !== 'GET') }
      } catch (error) {
        if (error instanceof DirectoryError) report(Number(error.diagnostics['status'] ?? 0), error.diagnostics['requestId'], error)
        throw error
      }
    },
    pathOf: nextLink => isBelow(root, nextLink) ? nextLink.slice(root.length) : null
  }
}

/** Also as the URL parser reads it, and without what the SDK would take for the address of another host: it looks for https:// anywhere. */
function isBelow (root: string, link: string): boolean {
  return link.startsWith(`${root}/`) && !link.slice(root.length).includes('://') && URL.canParse(link) && new URL(link).href.startsWith(`${root}/`)
}

async function send (request: GraphRequest, { method, body }: GraphCall): Promise<Response> {
  switch (method) {
    case 'GET': return await request.get()
    case 'POST': return await request.post(body ?? {})
    case 'PATCH': return await request.patch(body ?? {})
    case 'DELETE': return await request.delete()
  }
}

function asDirectoryError (call: GraphCall, error: unknown, writes: boolean): DirectoryError {
  if (error instanceof DirectoryError) return error
  if (error instanceof HttpFailure) return graphFailure(call.name, error, writes)
  return new DirectoryError('unavailable', `${call.name} failed before Graph answered`, { cause: error, outcomeUnknown: writes })
}
