// What export and import take and answer.
import type { FastifySchema } from 'fastify'
import Type, { type TSchema } from 'typebox'
import { ref, type DescribedRoute } from '../../plugins/openapi.ts'
import { commonFailures, failure } from '../answers.ts'
import { filterQuerySchema } from '../listing/list-query.ts'
import { registrationList } from './list-shape.ts'
import { lineLimits } from './ndjson-body.ts'
import { ExportedRegistration, ImportLine, ImportReport, NDJSON } from './transfer-schemas.ts'

const ndjson = (line: TSchema, description: string) => ({ description, content: { [NDJSON]: { schema: ref(line) } } })

export const exportRegistrations = {
  tags: ['Registrations'],
  security: [{ operatorKey: ['read'] }],
  operationId: 'exportRegistrations',
  summary: 'Export registrations',
  description: 'One JSON object a line, oldest first, without secrets. An answer that breaks off before its end is not whole.',
  querystring: filterQuerySchema(registrationList),
  response: { 200: ndjson(ExportedRegistration, 'The registrations.'), ...commonFailures }
} satisfies DescribedRoute

export const importRegistrations = {
  tags: ['Registrations'],
  security: [{ operatorKey: ['register'] }],
  operationId: 'importRegistrations',
  summary: 'Import registrations',
  description: `One JSON object a line, at most ${lineLimits.maxLines} lines of at most ${lineLimits.maxLength} characters. The body is read whole before the first registration is made. The answer has one line for each, in their order, as they are done.`,
  querystring: Type.Object({}, { additionalProperties: false }),
  response: {
    200: ndjson(ImportReport, 'A report for each line.'),
    ...commonFailures,
    413: failure('A line, the number of lines or the body is too large.'),
    415: failure('The body is not application/x-ndjson.')
  }
} satisfies DescribedRoute

/** The body in the document only: its lines are judged one by one. */
export function describeImport ({ schema, url }: { schema: FastifySchema, url: string }): { schema: FastifySchema, url: string } {
  return { schema: { ...schema, body: { content: { [NDJSON]: { schema: ref(ImportLine) } } } }, url }
}
