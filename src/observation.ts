// Metrics, traces and the ids that tie them to the log, put together for assemble.ts.
import type { Logger } from 'pino'
import type { GraphObservation } from './entra/graph-client.ts'
import type { RequestObserver } from './http/plugins/request-observation.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import { createCorrelation, type AmbientCorrelation } from './telemetry/correlation.ts'
import { openTracing } from './telemetry/tracing.ts'

export interface Observation {
  metrics: Metrics
  correlation: AmbientCorrelation
  /** Of every request of every listener. */
  requests: RequestObserver
  /** Of keys and tokens that are nobody's. */
  authenticationFailed: Metrics['authenticationFailed']
  /** Of every attempt at a call to Graph: a line of the log, a count, a span. */
  graphAttempted (observation: GraphObservation & { providerId: string }): void
  /** The same object; where traces are on, its asynchronous methods are spans of the request. */
  spanned<Target extends object> (prefix: string, target: Target): Target
  close (): Promise<void>
}

/** `nameOf` gives a provider's name for its id. */
export async function openObservation (
  { telemetry, version, log, nameOf }: { telemetry: { otlpEndpoint: string } | null, version: string, log: Logger, nameOf: (providerId: string) => string }
): Promise<Observation> {
  const metrics = createMetrics(version)
  const tracing = await openTracing(telemetry, version, log)
  const correlation = createCorrelation(() => tracing !== null || log.isLevelEnabled('debug'))
  return {
    metrics,
    correlation,
    requests: { answered: metrics.requestAnswered, trace: tracing?.request ?? null },
    authenticationFailed: metrics.authenticationFailed,
    graphAttempted ({ error, call, providerId, ...attempt }) {
      const { registrationId = null, requestId = null } = correlation.current() ?? {}
      const fault = error?.fault ?? null
      // The one line that leads from a caller's request to Microsoft's log.
      log.debug({ call, providerId, registrationId, requestId, ...attempt, fault }, 'Graph call')
      const named = { ...attempt, operation: call, provider: nameOf(providerId), fault }
      metrics.graphAttempted(named)
      tracing?.graphAttempted({ ...named, registrationId })
    },
    spanned: (prefix, target) => tracing?.spanned(prefix, target) ?? target,
    close: async () => { await tracing?.close() }
  }
}
