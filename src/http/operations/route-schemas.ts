// What each route of the operations API takes and answers: the document, and validation where the schema can say it.
import Type, { type TSchema } from 'typebox'
import { ref, type DescribedRoute } from '../plugins/openapi.ts'
import { listQuerySchema } from './list-query.ts'
import { Problem, RegistrationList, RegistrationView } from './schemas.ts'

const answer = (schema: TSchema, description: string) => ({ description, content: { 'application/json': { schema: ref(schema) } } })
const failure = (description: string) => ({ description, content: { 'application/problem+json': { schema: ref(Problem) } } })

const failures = {
  400: failure('Parameters are unknown or not acceptable; invalid_parameters names each.'),
  401: failure('The operator key is missing or not valid.'),
  403: failure('The operator key lacks the scope of this operation.'),
  500: failure('An error of the broker; the log has it under the request id.'),
  503: failure('The database does not answer. Repeat the request after Retry-After.')
}

const readRegistrations = { tags: ['Registrations'], security: [{ operatorKey: ['read'] }] }

export const listRegistrations = {
  ...readRegistrations,
  operationId: 'listRegistrations',
  summary: 'List registrations',
  description: 'Newest first unless sorted otherwise. Filters are joined by and. Deep lists are read by following meta.page.next.',
  querystring: listQuerySchema,
  response: { 200: answer(RegistrationList, 'A page of registrations.'), ...failures }
} satisfies DescribedRoute

export const showRegistration = {
  ...readRegistrations,
  operationId: 'showRegistration',
  summary: 'Show a registration',
  description: 'With its credentials (never a secret) and the events about it.',
  params: Type.Object({ id: Type.String({ format: 'uuid', description: 'Id of the registration.' }) }),
  querystring: Type.Object({}, { additionalProperties: false }),
  response: { 200: answer(RegistrationView, 'The registration.'), 404: failure('There is no such registration.'), ...failures }
} satisfies DescribedRoute
