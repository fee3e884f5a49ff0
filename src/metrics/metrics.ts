// What is counted and measured, as Prometheus reads it. The only place that knows the library; everybody else calls a function of Metrics.
// Labels are bounded: route templates, names of operations, providers and states; never a path, an id or anything else a caller chooses.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { createGauges, type GaugeGroup } from './gauges.ts'

/** A request that has been answered. */
export interface AnsweredRequest {
  surface: string
  method: string
  /** Its template; `none` for a path that no route has. */
  route: string
  status: number
  durationMs: number
}

/** One attempt at a call to Graph. `status` 0: no answer. `fault` null: it succeeded. */
export interface GraphAttempt {
  provider: string
  operation: string
  status: number
  fault: string | null
  durationMs: number
}

export interface Metrics {
  requestAnswered (request: AnsweredRequest): void
  graphAttempted (attempt: GraphAttempt): void
  /** A key or token was shown that is nobody's; 429: one of too many. */
  authenticationFailed (guard: string, status: 401 | 429): void
  /** A round of the background has ended; `report` null: it failed. Members of the report that are numbers are added up. */
  roundEnded (loop: string, report: object | null): void
  /** Gauges whose values are read when somebody asks. Their names begin with `dcr_`. */
  watch<Name extends string> (group: GaugeGroup<Name>): void
  /** Another counter, for parts with something of their own to count. Labels must be bounded. */
  counter (name: string, help: string, labelNames?: readonly string[]): (labels?: Record<string, string>, by?: number) => void
  /** All of it in Prometheus' text format. Never throws and never waits long: a group of gauges that can't be read is left out. */
  text (): Promise<string>
}

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** Seconds. The request deadline is 8 s by default. */
const REQUEST_BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16]
const GRAPH_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8]

/** Memory, CPU, event loop: of the process, and collected by a timer that can't be stopped; so once, however many brokers it holds. */
const ofProcess = new Registry()
let isCollecting = false

function collectOfProcess (): void {
  if (isCollecting) return
  isCollecting = true
  collectDefaultMetrics({ register: ofProcess })
}

export function createMetrics (version: string): Metrics {
  collectOfProcess()
  const registry = new Registry()
  const registers = [registry]
  const counter = (name: string, help: string, labelNames: readonly string[] = []) => new Counter({ name, help, labelNames: [...labelNames], registers })

  new Gauge({ name: 'dcr_build_info', help: 'The release that runs; always 1.', labelNames: ['version'], registers }).set({ version }, 1)
  const requests = counter('dcr_http_requests_total', 'Answered requests.', ['surface', 'method', 'route', 'status'])
  const requestSeconds = new Histogram({
    name: 'dcr_http_request_duration_seconds', help: 'Time until the answer had left.', labelNames: ['surface', 'route'], buckets: REQUEST_BUCKETS, registers
  })
  const graphCalls = counter('dcr_graph_calls_total', 'Attempts at calls to Microsoft Graph.', ['provider', 'operation', 'status', 'outcome'])
  const graphSeconds = new Histogram({
    name: 'dcr_graph_call_duration_seconds', help: 'Time of one attempt.', labelNames: ['operation'], buckets: GRAPH_BUCKETS, registers
  })
  const failures = counter('dcr_authentication_failures_total', 'Keys and tokens that are nobody\'s, by what guards the route; 429: beyond the allowance of their source.', ['guard', 'status'])
  const rounds = counter('dcr_background_rounds_total', 'Rounds of the background loops.', ['loop', 'outcome'])
  const work = counter('dcr_background_work_total', 'What the background loops have done, by the members of their reports.', ['loop', 'kind'])
  const gauges = createGauges(registry)

  return {
    requestAnswered ({ surface, method, route, status, durationMs }) {
      requests.inc({ surface, method, route, status: `${Math.floor(status / 100)}xx` })
      requestSeconds.observe({ surface, route }, durationMs / 1_000)
    },
    graphAttempted ({ provider, operation, status, fault, durationMs }) {
      graphCalls.inc({ provider, operation, status: status === 0 ? 'none' : String(status), outcome: fault ?? 'ok' })
      graphSeconds.observe({ operation }, durationMs / 1_000)
    },
    authenticationFailed (guard, status) { failures.inc({ guard, status: String(status) }) },
    roundEnded (name, report) {
      const loop = name.toLowerCase()
      rounds.inc({ loop, outcome: report === null ? 'failed' : 'ok' })
      for (const [kind, count] of Object.entries(report ?? {})) {
        if (typeof count === 'number' && count > 0) work.inc({ loop, kind }, count)
      }
    },
    watch: gauges.watch,
    counter (name, help, labelNames) {
      const made = counter(name, help, labelNames)
      return (labels = {}, by = 1) => { made.inc(labels, by) }
    },
    async text () {
      await gauges.refresh()
      return `${await registry.metrics()}${await ofProcess.metrics()}`
    }
  }
}
