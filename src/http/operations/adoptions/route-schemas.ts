// What each route of adoption takes and answers.
import Type from 'typebox'
import { ref, type DescribedRoute } from '../../plugins/openapi.ts'
import { answer, commonFailures, conflict, noContent, notFound } from '../answers.ts'
import { listQuerySchema } from '../listing/list-query.ts'
import { byId } from '../schemas.ts'
import { permitList } from './list-shape.ts'
import { AdoptionPermitList, AdoptionPermitView, AdoptionSettingChange, AdoptionSettingView, NewAdoptionPermit } from './schemas.ts'

const reads = { tags: ['Adoption'], security: [{ operatorKey: ['read'] }] }
const changes = { tags: ['Adoption'], security: [{ operatorKey: ['admin'] }] }
const nothing = Type.Object({}, { additionalProperties: false })
// A path can hold a NUL, PostgreSQL's text can't.
const ofProvider = { params: Type.Object({ provider: Type.String({ pattern: '^[^\\u0000]*$', description: 'Name of the provider.' }) }), querystring: nothing }

export const listPermits = {
  ...reads,
  operationId: 'listAdoptionPermits',
  summary: 'List permits',
  description: 'Newest first unless sorted otherwise.',
  querystring: listQuerySchema(permitList),
  response: { 200: answer(AdoptionPermitList, 'A page of permits.'), ...commonFailures }
} satisfies DescribedRoute

export const createPermit = {
  ...changes,
  operationId: 'createAdoptionPermit',
  summary: 'Permit an application to be adopted',
  description: 'It is adopted when Konnect first names it with a valid key, if its provider allows adoption. Nothing is asked of Entra ID before.',
  querystring: nothing,
  body: ref(NewAdoptionPermit),
  response: { 201: answer(AdoptionPermitView, 'The permit.'), ...conflict('It is permitted already, or has a registration here.'), ...commonFailures }
} satisfies DescribedRoute

export const deletePermit = {
  ...changes,
  operationId: 'deleteAdoptionPermit',
  summary: 'Withdraw a permit',
  description: 'What is adopted stays adopted; end its registration to let it go.',
  ...byId('permit'),
  response: { 204: noContent('Withdrawn.'), ...notFound('permit'), ...commonFailures }
} satisfies DescribedRoute

export const showSetting = {
  ...reads,
  operationId: 'showAdoptionSetting',
  summary: 'Show whether a provider allows adoption',
  ...ofProvider,
  response: { 200: answer(AdoptionSettingView, 'The setting.'), ...notFound('provider'), ...commonFailures }
} satisfies DescribedRoute

export const changeSetting = {
  ...changes,
  operationId: 'changeAdoptionSetting',
  summary: 'Allow adoption at a provider, or stop it',
  ...ofProvider,
  body: ref(AdoptionSettingChange),
  response: { 200: answer(AdoptionSettingView, 'The setting as it is now.'), ...notFound('provider'), ...commonFailures }
} satisfies DescribedRoute
