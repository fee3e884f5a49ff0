// Spans by OpenTelemetry, sent in batches over OTLP/HTTP. A collector that is slow or away costs spans, never a request.
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Span, type TextMapGetter, type Tracer } from '@opentelemetry/api'
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { Log } from '../registration/ports.ts'
import type { FinishedAttempt, Tracing, TracingOptions } from './tracing.ts'

/** For the last batch, while the process is ending. */
const GOODBYE_MS = 2_000

const getter: TextMapGetter<Record<string, string>> = { keys: carrier => Object.keys(carrier), get: (carrier, name) => carrier[name] }

/** The rest of OpenTelemetry's environment (sampler, headers of the exporter, resource attributes) is read by its own packages. */
export function createOtlpTracing ({ otlpEndpoint, version }: TracingOptions, log: Log): Tracing {
  saysFailureOnce(log)
  const exporter = new OTLPTraceExporter({ url: `${otlpEndpoint.replace(/\/$/, '')}/v1/traces` })
  const provider = new BasicTracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win over ours.
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'dcr-broker', 'service.version': version }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(exporter)]
  })
  const tracer = provider.getTracer('dcr-broker', version)
  const propagator = new W3CTraceContextPropagator()
  const ambient = new AsyncLocalStorage<Context>()

  return {
    request (traceparent) {
      const parent = traceparent === undefined ? ROOT_CONTEXT : propagator.extract(ROOT_CONTEXT, { traceparent }, getter)
      const span = tracer.startSpan('request', { kind: SpanKind.SERVER }, parent)
      const within = trace.setSpan(parent, span)
      return {
        within: work => { ambient.run(within, work) },
        end ({ requestId, surface, method, route, status }) {
          span.updateName(`${method} ${route}`)
          span.setAttributes({
            'http.request.method': method, 'http.route': route, 'http.response.status_code': status, 'dcr.surface': surface, 'dcr.request_id': requestId
          })
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
          span.end()
        }
      }
    },
    spanned: (prefix, target) => new Proxy(target, {
      get (object, member, receiver) {
        const value: unknown = Reflect.get(object, member, receiver)
        const parent = ambient.getStore()
        if (typeof value !== 'function' || parent === undefined || typeof member === 'symbol') return value
        return (...args: unknown[]): unknown => {
          const span = tracer.startSpan(`${prefix} ${member}`, {}, parent)
          return endingWith(span, ambient.run(trace.setSpan(parent, span), () => Reflect.apply(value, object, args) as unknown))
        }
      }
    }),
    graphAttempted: attempt => recordAttempt(tracer, attempt, ambient.getStore() ?? ROOT_CONTEXT),
    async close () {
      await Promise.race([provider.shutdown().catch(() => {}), wait(GOODBYE_MS, undefined, { ref: false })])
    }
  }
}

/** Ends the span with the promise. What is answered at once is not worth one: a span that does not end is not sent. */
function endingWith (span: Span, result: unknown): unknown {
  if (!(result instanceof Promise)) return result
  return result.then((value: unknown) => {
    span.end()
    return value
  }, (error: unknown) => {
    // Messages may quote what a caller has sent.
    span.setAttribute('error.type', kindOf(error))
    span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
    throw error
  })
}

function recordAttempt (tracer: Tracer, attempt: FinishedAttempt, parent: Context): void {
  const endTime = Date.now()
  const { operation, method, provider, status, durationMs, fault, clientRequestId, graphRequestId, registrationId } = attempt
  const span = tracer.startSpan(`graph ${operation}`, { kind: SpanKind.CLIENT, startTime: endTime - durationMs }, parent)
  span.setAttributes({
    'http.request.method': method,
    'dcr.provider': provider,
    ...(status > 0 && { 'http.response.status_code': status }),
    ...(clientRequestId !== null && { 'dcr.graph.client_request_id': clientRequestId }),
    ...(graphRequestId !== null && { 'dcr.graph.request_id': graphRequestId }),
    ...(registrationId !== null && { 'dcr.registration_id': registrationId }),
    ...(fault !== null && { 'error.type': fault })
  })
  if (fault !== null) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end(endTime)
}

function kindOf (error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

function saysFailureOnce (log: Log): void {
  let said = false
  setGlobalErrorHandler(error => {
    if (said) return
    said = true
    log.warn({ reason: error instanceof Error ? error.name : 'error' }, 'Traces can\'t be sent to OTEL_EXPORTER_OTLP_ENDPOINT; this is said once, requests are not affected')
  })
}
