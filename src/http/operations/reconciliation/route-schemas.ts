// What each route of the reconciler takes and answers.
import Type from 'typebox'
import { ref, type DescribedRoute } from '../../plugins/openapi.ts'
import { answer, commonFailures, conflict, noContent, notFound, upstreamFailures } from '../answers.ts'
import { uuid } from '../schemas.ts'
import { ReadoptBody, ReadoptedView, ReconciliationReportList, ReleaseBody, ReleasedView, RunWishBody } from './schemas.ts'

const reads = { tags: ['Reconciliation'], security: [{ operatorKey: ['read'] }] }
const changes = { tags: ['Reconciliation'], security: [{ operatorKey: ['admin'] }] }
const noQuery = { querystring: Type.Object({}, { additionalProperties: false }) }
const byClientId = { params: Type.Object({ clientId: uuid('appId of an application that a run has found without a registration.') }), ...noQuery }

export const showReports = {
  ...reads,
  operationId: 'showReconciliation',
  summary: 'Show how Entra and the database agree',
  description: 'The latest run of each provider, what it found, and whether the provider is on hold.',
  ...noQuery,
  response: { 200: answer(ReconciliationReportList, 'The reports.'), ...commonFailures }
} satisfies DescribedRoute

export const runNow = {
  ...changes,
  operationId: 'runReconciliation',
  summary: 'Compare Entra with the database now',
  description: 'One provider after the other. What takes longer than an answer may goes on; the report shows its end. A dry run changes nothing.',
  ...noQuery,
  body: ref(RunWishBody),
  response: {
    200: answer(ReconciliationReportList, 'It has ended.'),
    202: answer(ReconciliationReportList, 'It goes on.'),
    ...notFound('provider'),
    ...conflict('A run is under way already.'),
    ...commonFailures
  }
} satisfies DescribedRoute

export const releaseHold = {
  ...changes,
  operationId: 'releaseReconciliation',
  summary: 'Let the reconciler remove again',
  description: 'After a restore: once every application that the report shows was adopted, or is of no use. The next run removes what it finds.',
  ...noQuery,
  body: ref(ReleaseBody),
  response: { 200: answer(ReleasedView, 'What was on hold.'), ...notFound('provider'), ...commonFailures }
} satisfies DescribedRoute

export const adoptUnknown = {
  ...changes,
  operationId: 'adoptUnknownApplication',
  summary: 'Make the registration of an application again',
  description: 'Of one that this installation has made and the database does not know. Nothing changes in Entra: the client goes on with its secrets.',
  ...byClientId,
  body: ref(ReadoptBody),
  response: {
    201: answer(ReadoptedView, 'The registration.'),
    ...notFound('application'),
    ...conflict('There is a registration by now, or the application is another\'s or gone.'),
    ...commonFailures,
    ...upstreamFailures
  }
} satisfies DescribedRoute

export const purgeUnknown = {
  ...changes,
  operationId: 'purgeUnknownApplication',
  summary: 'Delete an application that no registration knows, for good',
  description: 'Of one that this installation has made, and that was seen twice. Not while the provider is on hold.',
  ...byClientId,
  response: {
    204: noContent('It is gone for good.'),
    ...notFound('application'),
    ...conflict('The provider is on hold, the application was seen once only, is another\'s, or has a registration by now.'),
    ...commonFailures,
    ...upstreamFailures
  }
} satisfies DescribedRoute
