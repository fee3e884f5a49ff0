// What each route of the registrations takes and answers: the document, and validation where the schema can say it.
import Type, { type TSchema } from 'typebox'
import { ref } from '../../plugins/openapi.ts'
import { answer, commonFailuresFor, conflict, noContent, notFound, upstreamFailures } from '../answers.ts'
import type { Guard } from '../../guards.ts'
import { listQuerySchema } from '../listing/list-query.ts'
import { uuid } from '../schemas.ts'
import { auditList, registrationList } from './list-shape.ts'
import { AuditEntryList, LabelsOnly, RegistrationChanges, RegistrationList, RegistrationView, RotatedSecret } from './schemas.ts'

/** Whose registrations these are: an operator's on the operations listener, or the caller's own on the public one. */
export interface Place {
  guard: Guard
  tag: string
  /** Of the security scheme. */
  scheme: string
  /** What a caller shows. */
  what: string
  /** Operation ids are unique in a document: before and after the noun. */
  infix: string
  suffix: string
  /** Names in the path before the registration's id. */
  params: Record<string, TSchema>
}

export const operatorsPlace: Place = {
  guard: 'operator', tag: 'Registrations', scheme: 'operatorKey', what: 'operator key', infix: '', suffix: '', params: {}
}

const nothing = Type.Object({}, { additionalProperties: false })

/** Operations that both places have. */
export function registrationOperations (place: Place) {
  const { list, one, common, named } = partsOf(place)
  return {
    list: {
      ...list('read'),
      operationId: named('list', 's'),
      summary: 'List registrations',
      description: 'Newest first unless sorted otherwise. Filters are joined by and. Deep lists are read by following meta.page.next.',
      querystring: listQuerySchema(registrationList),
      response: { 200: answer(RegistrationList, 'A page of registrations.'), ...common }
    },
    show: {
      ...one('read'),
      operationId: named('show'),
      summary: 'Show a registration',
      description: 'With its credentials (never a secret), the events about it and what they say is linked.',
      querystring: nothing,
      response: { 200: answer(RegistrationView, 'The registration.'), ...notFound('registration'), ...common }
    },
    rotate: {
      ...one('rotate'),
      operationId: named('rotate'),
      summary: 'Replace all secrets by a new one',
      description: 'The older secrets are removed once Entra ID accepts the new one, after a minute at the latest. Secrets that the broker did not make stay.',
      querystring: nothing,
      response: {
        200: answer(RotatedSecret, 'The new secret.'),
        ...common,
        ...notFound('registration'),
        ...conflict('The application was deleted in Entra ID.'),
        ...upstreamFailures
      }
    }
  }
}

/** What an operator does beside. */
export function operatorOperations () {
  const { one, common, named } = partsOf(operatorsPlace)
  const changed = {
    200: answer(RegistrationView, 'The registration as it is now.'),
    ...common,
    ...notFound('registration'),
    ...conflict('The state of the registration does not allow it.'),
    ...upstreamFailures
  }
  return {
    describe: {
      ...one('admin'),
      operationId: named('describe'),
      summary: 'Change labels and owner',
      description: 'Nothing of it goes to Entra ID.',
      querystring: nothing,
      body: ref(RegistrationChanges),
      response: { 200: answer(RegistrationView, 'The registration as it is now.'), ...common, ...notFound('registration') }
    },
    remove: {
      ...one('delete'),
      operationId: named('delete'),
      summary: 'End a registration',
      description: 'Its id and secrets are of no use at once. The application stays restorable in Entra ID for a week, as it is set; purge=true removes it for good. An adopted application stays, but for the secrets that the broker made.',
      querystring: Type.Object({
        purge: Type.Optional(Type.Unsafe<'true' | 'false'>({ type: 'string', enum: ['true', 'false'], default: 'false', description: 'true: not restorable.' }))
      }, { additionalProperties: false }),
      response: { 204: noContent('The application is deleted, or was before.'), ...common, ...notFound('registration'), ...upstreamFailures }
    },
    audit: {
      ...one('audit'),
      operationId: named('list', 'Audit'),
      summary: 'List what happened to a registration',
      description: 'Newest first unless sorted otherwise.',
      querystring: listQuerySchema(auditList),
      response: { 200: answer(AuditEntryList, 'A page of events.'), ...common, ...notFound('registration') }
    },
    disable: {
      ...one('admin'),
      operationId: named('disable'),
      summary: 'Disable a client',
      description: 'Entra ID gives it no more tokens. Unlike one that expiry has disabled it is not deleted. Twice is harmless.',
      querystring: nothing,
      response: changed
    },
    enable: {
      ...one('admin'),
      operationId: named('enable'),
      summary: 'Enable a client',
      description: 'Whoever disabled it. Its age begins anew. Twice is harmless.',
      querystring: nothing,
      response: changed
    },
    resume: {
      ...one('admin'),
      operationId: named('resume'),
      summary: 'Let a stuck registration go on now',
      description: 'It is due at once and its waiting times begin anew; the background does the work. One that has drifted is looked for in Entra ID: restored there it is active again, else the answer is 409.',
      querystring: nothing,
      response: changed
    }
  }
}

/** What a caller does with its own clients beside. */
export function ownOperations (place: Place) {
  const { one, common, named } = partsOf(place)
  return {
    describe: {
      ...one('register'),
      operationId: named('label'),
      summary: 'Change labels',
      querystring: nothing,
      body: ref(LabelsOnly),
      response: { 200: answer(RegistrationView, 'The registration as it is now.'), ...common, ...notFound('registration') }
    },
    remove: {
      ...one('delete'),
      operationId: named('delete'),
      summary: 'End a registration',
      description: 'Its id and secrets are of no use at once.',
      querystring: nothing,
      response: { 204: noContent('The application is deleted, or was before.'), ...common, ...notFound('registration'), ...upstreamFailures }
    }
  }
}

function partsOf ({ tag, scheme, what, infix, suffix, params }: Place) {
  const paramsOf = <Names extends object>(members: Record<string, TSchema>) => Type.Unsafe<Names>(Type.Object({ ...params, ...members }))
  const guarded = (scope: string) => ({ tags: [tag], security: [{ [scheme]: [scope] }] })
  return {
    common: commonFailuresFor(what),
    named: (verb: string, more = '') => `${verb}${infix}Registration${more}${suffix}`,
    list: (scope: string) => ({ ...guarded(scope), ...(Object.keys(params).length > 0 && { params: paramsOf<object>({}) }) }),
    one: (scope: string) => ({ ...guarded(scope), params: paramsOf<{ id: string }>({ id: uuid('Id of the registration.') }) })
  }
}
