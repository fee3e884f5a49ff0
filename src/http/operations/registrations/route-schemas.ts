// What each route of the registrations takes and answers: the document, and validation where the schema can say it.
import { type DescribedRoute } from '../../plugins/openapi.ts'
import { answer, commonFailures, notFound } from '../answers.ts'
import { listQuerySchema } from '../listing/list-query.ts'
import { byId } from '../schemas.ts'
import { registrationList } from './list-shape.ts'
import { RegistrationList, RegistrationView } from './schemas.ts'

const readRegistrations = { tags: ['Registrations'], security: [{ operatorKey: ['read'] }] }

export const listRegistrations = {
  ...readRegistrations,
  operationId: 'listRegistrations',
  summary: 'List registrations',
  description: 'Newest first unless sorted otherwise. Filters are joined by and. Deep lists are read by following meta.page.next.',
  querystring: listQuerySchema(registrationList),
  response: { 200: answer(RegistrationList, 'A page of registrations.'), ...commonFailures }
} satisfies DescribedRoute

export const showRegistration = {
  ...readRegistrations,
  operationId: 'showRegistration',
  summary: 'Show a registration',
  description: 'With its credentials (never a secret) and the events about it.',
  ...byId('registration'),
  response: { 200: answer(RegistrationView, 'The registration.'), ...notFound('registration'), ...commonFailures }
} satisfies DescribedRoute
