// /metrics: for Prometheus. Without a key, as health: the listener is not for the public network, and counts tell no secrets.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { DescribedRoute } from './plugins/openapi.ts'

/** What is answered, in a text format. */
export interface MetricsText {
  contentType: string
  /** Never throws. */
  text: () => Promise<string>
}

const example = [
  '# HELP dcr_http_requests_total Answered requests.',
  '# TYPE dcr_http_requests_total counter',
  'dcr_http_requests_total{surface="konnect",method="POST",route="/konnect",status="2xx"} 42'
].join('\n')

const schema = {
  tags: ['Health'],
  security: [],
  operationId: 'readMetrics',
  summary: 'Metrics of this replica',
  description: 'Prometheus\' text format. What is read from the database is at most 15 seconds old and the same for every replica: take the maximum, not the sum.',
  response: { 200: { description: 'All metrics.', content: { 'text/plain': { schema: { type: 'string', examples: [example] } } } } }
} satisfies DescribedRoute

export const metricsRoute: FastifyPluginAsyncTypebox<{ metrics: MetricsText }> = async (server, { metrics }) => {
  server.get('/metrics', { schema, logLevel: 'warn' }, async (_request, reply) => await reply.type(metrics.contentType).send(await metrics.text()))
}
