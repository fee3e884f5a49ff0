// Traces, when the environment asks for them: OpenTelemetry is loaded only then.
import type { Log } from '../registration/ports.ts'

export interface FinishedRequest {
  requestId: string
  surface: string
  method: string
  route: string
  status: number
}

/** An attempt at a call to Graph that is over. */
export interface FinishedAttempt {
  operation: string
  method: string
  provider: string
  status: number
  durationMs: number
  fault: string | null
  clientRequestId: string | null
  graphRequestId: string | null
  registrationId: string | null
}

/** Attributes of spans are names, statuses and ids of ours. Never a path, a query, a body, a header or a message. */
export interface Tracing {
  request (traceparent: string | undefined): { within (work: () => void): void, end (request: FinishedRequest): void }
  /** The same object, each asynchronous method a span named `<prefix> <method>` when it is called within a traced request. */
  spanned<Target extends object> (prefix: string, target: Target): Target
  graphAttempted (attempt: FinishedAttempt): void
  /** Sends what is left, but does not wait long for a collector that is away. Never throws. */
  close (): Promise<void>
}

export interface TracingOptions {
  /** Base of the collector's OTLP/HTTP addresses. */
  otlpEndpoint: string
  version: string
}

/** Null: nothing is traced. */
export async function openTracing (telemetry: { otlpEndpoint: string } | null, version: string, log: Log): Promise<Tracing | null> {
  if (telemetry === null) return null
  const { createOtlpTracing } = await import('./otlp-tracing.ts')
  return createOtlpTracing({ otlpEndpoint: telemetry.otlpEndpoint, version }, log)
}
