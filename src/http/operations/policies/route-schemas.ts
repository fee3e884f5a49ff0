// What each route of the policies takes and answers.
import Type from 'typebox'
import { ref, type DescribedRoute } from '../../plugins/openapi.ts'
import { NewClient } from '../../register/schemas.ts'
import { answer, commonFailures, conflict, failure, noContent, notFound } from '../answers.ts'
import { listQuerySchema } from '../listing/list-query.ts'
import { byId, uuid } from '../schemas.ts'
import { policyList } from './list-shape.ts'
import { DryRunView, NewPolicy, PolicyList, PolicyReplacement, PolicyRollback, PolicyVersionList, PolicyVersionView, PolicyView, UnstoredDryRun } from './schemas.ts'

const tags = ['Policies']
const toRead = { tags, security: [{ operatorKey: ['read'] }] }
const toChange = { tags, security: [{ operatorKey: ['admin'] }] }
const one = byId('policy')
const missing = notFound('policy')
const changes = {
  ...one,
  headers: Type.Object({ 'if-match': Type.Optional(Type.String({ description: 'The version you have seen, as in ETag: 412 when there is a newer one.' })) }),
  response: {
    200: answer(PolicyView, 'The policy; it is in effect.'),
    ...missing,
    ...conflict('The member version is not the newest one.'),
    412: failure('If-Match does not name the newest version.'),
    ...commonFailures
  }
}
const provider = Type.Object({
  provider: Type.Optional(Type.String({ description: 'Name of the provider whose scope catalogue counts. Default: the operator\'s, or the one called default.' }))
}, { additionalProperties: false })

export const listPolicies = {
  ...toRead,
  operationId: 'listPolicies',
  summary: 'List policies',
  description: 'By name unless sorted otherwise.',
  querystring: listQuerySchema(policyList),
  response: { 200: answer(PolicyList, 'A page of policies.'), ...commonFailures }
} satisfies DescribedRoute

export const createPolicy = {
  ...toChange,
  operationId: 'createPolicy',
  summary: 'Make a policy',
  body: ref(NewPolicy),
  response: { 201: answer(PolicyView, 'The policy, at version 1.'), ...conflict('The name is taken.'), ...commonFailures }
} satisfies DescribedRoute

export const showPolicy = {
  ...toRead,
  operationId: 'showPolicy',
  summary: 'Show a policy',
  description: 'ETag is its version.',
  ...one,
  response: { 200: answer(PolicyView, 'The policy.'), ...missing, ...commonFailures }
} satisfies DescribedRoute

export const replacePolicy = {
  ...toChange,
  operationId: 'replacePolicy',
  summary: 'Replace the rules of a policy',
  description: 'A new version; rules that are left out become the release\'s. The same rules make no version.',
  ...changes,
  body: ref(PolicyReplacement)
} satisfies DescribedRoute

export const changePolicy = {
  ...toChange,
  operationId: 'changePolicy',
  summary: 'Change rules of a policy',
  description: 'A new version; rules that are left out stay. The same rules make no version.',
  ...changes,
  body: ref(PolicyReplacement)
} satisfies DescribedRoute

export const rollBackPolicy = {
  ...toChange,
  operationId: 'rollBackPolicy',
  summary: 'Put older rules of a policy back',
  description: 'As a new version.',
  ...changes,
  body: ref(PolicyRollback)
} satisfies DescribedRoute

export const deletePolicy = {
  ...toChange,
  operationId: 'deletePolicy',
  summary: 'Delete a policy',
  ...one,
  headers: changes.headers,
  response: {
    204: noContent('It is gone with its versions; the audit keeps its last rules.'),
    ...missing,
    ...conflict('Callers are bound to it, registrations are under it, or it is `default`.'),
    412: changes.response[412],
    ...commonFailures
  }
} satisfies DescribedRoute

export const listPolicyVersions = {
  ...toRead,
  operationId: 'listPolicyVersions',
  summary: 'List the versions of a policy',
  ...one,
  response: { 200: answer(PolicyVersionList, 'The versions.'), ...missing, ...commonFailures }
} satisfies DescribedRoute

export const showPolicyVersion = {
  ...toRead,
  operationId: 'showPolicyVersion',
  summary: 'Show a version of a policy',
  params: Type.Object({ id: uuid('Id of the policy.'), version: Type.String({ pattern: '^[1-9]\\d{0,8}$', description: 'Number of the version.' }) }),
  querystring: one.querystring,
  response: { 200: answer(PolicyVersionView, 'The version.'), ...notFound('policy or version'), ...commonFailures }
} satisfies DescribedRoute

export const dryRunPolicy = {
  ...toRead,
  operationId: 'dryRunPolicy',
  summary: 'See what a registration would become under a policy',
  description: 'Makes nothing and counts no quota. A registration that would be refused is answered too, with every refusal.',
  params: one.params,
  querystring: provider,
  body: ref(NewClient),
  response: { 200: answer(DryRunView, 'What it would become, or why it would be refused.'), ...missing, ...commonFailures }
} satisfies DescribedRoute

export const dryRunRules = {
  ...toRead,
  operationId: 'dryRunRules',
  summary: 'See what a registration would become under rules that are not stored',
  querystring: provider,
  body: ref(UnstoredDryRun),
  response: { 200: answer(DryRunView, 'What it would become, or why it would be refused.'), ...commonFailures }
} satisfies DescribedRoute
