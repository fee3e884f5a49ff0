// What each route of the callers takes and answers: the document, and validation where the schema can say it.
import type { DescribedRoute } from '../../plugins/openapi.ts'
import { answer, commonFailures, conflict, noContent, notFound } from '../answers.ts'
import { listQuerySchema } from '../listing/list-query.ts'
import { byId } from '../schemas.ts'
import { callerList } from './list-shape.ts'
import { CallerList, CallerView, CreatedCaller, callerChangesRef, newCallerRef } from './schemas.ts'

export const callersTag = { name: 'Callers', description: 'Keys, tokens and identities that may call the broker.' }

const reading = { tags: [callersTag.name], security: [{ operatorKey: ['read'] }] }
const administering = { tags: [callersTag.name], security: [{ operatorKey: ['admin'] }] }

export const listCallers = {
  ...reading,
  operationId: 'listCallers',
  summary: 'List callers',
  description: 'Newest first unless sorted otherwise; the revoked ones too.',
  querystring: listQuerySchema(callerList),
  response: { 200: answer(CallerList, 'A page of callers.'), ...commonFailures }
} satisfies DescribedRoute

export const showCaller = {
  ...reading,
  operationId: 'showCaller',
  summary: 'Show a caller',
  description: 'Never with its key.',
  ...byId('caller'),
  response: { 200: answer(CallerView, 'The caller.'), ...notFound('caller'), ...commonFailures }
} satisfies DescribedRoute

export const createCaller = {
  ...administering,
  operationId: 'createCaller',
  summary: 'Create a caller',
  description: 'Makes a key and shows it this once. It works on every replica at once.',
  body: newCallerRef,
  response: { 201: answer(CreatedCaller, 'The caller with its key.'), ...conflict('Another living caller has the name.'), ...commonFailures }
} satisfies DescribedRoute

export const changeCaller = {
  ...administering,
  operationId: 'changeCaller',
  summary: 'Change a caller',
  description: 'Counts on every replica within a second. Clients that it has registered keep their policy.',
  ...byId('caller'),
  body: callerChangesRef,
  response: {
    200: answer(CallerView, 'The caller.'),
    ...notFound('caller'),
    ...conflict('A setting defines it, it is revoked, or another living caller has the name.'),
    ...commonFailures
  }
} satisfies DescribedRoute

export const revokeCaller = {
  ...administering,
  operationId: 'revokeCaller',
  summary: 'Revoke a caller',
  description: 'For good, and refused on every replica within a second; a key of a setting stays revoked although it is still set. What it has registered stays. An operator can revoke his own key.',
  ...byId('caller'),
  response: { 204: noContent('It is revoked; again is the same.'), ...notFound('caller'), ...conflict('Open registration has no key.'), ...commonFailures }
} satisfies DescribedRoute
