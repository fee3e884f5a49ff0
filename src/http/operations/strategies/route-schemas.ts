// What each route of the strategies takes and answers.
import Type from 'typebox'
import { ref, type DescribedRoute } from '../../plugins/openapi.ts'
import { answer, commonFailures, conflict, noContent, notFound } from '../answers.ts'
import { listQuerySchema } from '../listing/list-query.ts'
import { byId, uuid } from '../schemas.ts'
import { strategyList } from './list-shape.ts'
import { KonnectStrategyView, NewStrategy, StrategyChange, StrategyList, StrategyView } from './schemas.ts'

const tags = ['Auth strategies']
const toRead = { tags, security: [{ operatorKey: ['read'] }] }
const toChange = { tags, security: [{ operatorKey: ['admin'] }] }
const one = byId('strategy')
const missing = notFound('strategy')
const taken = conflict('The name or the Konnect id is in use within the provider, or the environment defines the strategy.')

export const listStrategies = {
  ...toRead,
  operationId: 'listAuthStrategies',
  summary: 'List auth strategies',
  description: 'Newest first unless sorted otherwise.',
  querystring: listQuerySchema(strategyList),
  response: { 200: answer(StrategyList, 'A page of strategies.'), ...commonFailures }
} satisfies DescribedRoute

export const createStrategy = {
  ...toChange,
  operationId: 'createAuthStrategy',
  summary: 'Make an auth strategy',
  description: 'What can\'t work with Entra is refused, with the way out in `reason`; what is doubtful comes back in `warnings`.',
  body: ref(NewStrategy),
  response: { 201: answer(StrategyView, 'The strategy; it is in effect.'), ...taken, ...commonFailures }
} satisfies DescribedRoute

export const showStrategy = {
  ...toRead, operationId: 'showAuthStrategy', summary: 'Show an auth strategy', ...one, response: { 200: answer(StrategyView, 'The strategy.'), ...missing, ...commonFailures }
} satisfies DescribedRoute

export const replaceStrategy = {
  ...toChange,
  operationId: 'replaceAuthStrategy',
  summary: 'Replace an auth strategy',
  description: 'All of it: what is left out gets its default, but for is_default and the provider. Registered clients follow at their next update.',
  ...one,
  body: ref(NewStrategy),
  response: { 200: answer(StrategyView, 'The strategy; it is in effect.'), ...missing, ...taken, ...commonFailures }
} satisfies DescribedRoute

export const changeStrategy = {
  ...toChange,
  operationId: 'changeAuthStrategy',
  summary: 'Change an auth strategy',
  description: 'Sparse. Registered clients follow at their next update.',
  ...one,
  body: ref(StrategyChange),
  response: { 200: answer(StrategyView, 'The strategy; it is in effect.'), ...missing, ...taken, ...commonFailures }
} satisfies DescribedRoute

export const deleteStrategy = {
  ...toChange,
  operationId: 'deleteAuthStrategy',
  summary: 'Delete an auth strategy',
  ...one,
  response: {
    204: noContent('It is gone; its Konnect id is free.'),
    ...missing,
    ...conflict('Registrations have it, it is the default of its provider, or the environment defines it.'),
    ...commonFailures
  }
} satisfies DescribedRoute

export const konnectStrategy = {
  ...toRead,
  operationId: 'showAuthStrategyForKonnect',
  summary: 'Show an auth strategy as Konnect takes it',
  description: 'A body for Konnect\'s own POST /v2/application-auth-strategies. The audience is there as audience_required and, with v1 and client_credentials, as the token request\'s resource.',
  params: one.params,
  querystring: Type.Object({ dcr_provider_id: Type.Optional(uuid('Konnect\'s id of the HTTP DCR provider that stands for the broker.')) }, { additionalProperties: false }),
  response: { 200: answer(KonnectStrategyView, 'The body.'), ...missing, ...commonFailures }
} satisfies DescribedRoute
