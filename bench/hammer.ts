// Load by autocannon: requests that are ready beforehand, one under way per connection. It costs a fraction of an HTTP client's CPU,
// which matters where an answer takes a tenth of a millisecond.
import autocannon from 'autocannon'

export interface HammerRequest {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body?: string
}

export interface Hammering {
  url: string
  /** Each connection sends them one after the other, over and over. */
  requests: readonly HammerRequest[]
  connections: number
  durationMs: number
  /** The only status that may come. */
  status: number
}

const SAMPLE_MS = 50

/** @throws {Error} when anything else is answered, or a connection fails */
export async function hammer ({ url, requests, connections, durationMs, status }: Hammering) {
  const result = await autocannon({
    url, requests: requests.map(request => ({ ...request })), connections, pipelining: 1, duration: durationMs / 1000, sampleInt: SAMPLE_MS
  })
  const answered = Object.fromEntries(Object.entries(result.statusCodeStats ?? {}).map(([code, { count = 0 }]) => [code, count]))
  const { [status]: expected = 0, ...others } = answered
  if (expected === 0 || Object.keys(others).length > 0 || result.errors > 0 || result.timeouts > 0) {
    throw new Error(`Expected ${status} of ${url}${requests[0]?.path ?? ''}; answered: ${JSON.stringify(answered)}, errors: ${result.errors}, time-outs: ${result.timeouts}`)
  }
  return { requests: expected, elapsedMs: result.duration * 1000, p50Ms: result.latency.p50, p99Ms: result.latency.p99 }
}
