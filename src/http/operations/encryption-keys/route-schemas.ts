// What each route of the keys takes and answers.
import Type from 'typebox'
import { type DescribedRoute } from '../../plugins/openapi.ts'
import { answer, commonFailures, conflict, notFound } from '../answers.ts'
import { EncryptionKeyList, EncryptionKeyView, RewrapView } from './schemas.ts'

const noQuery = { querystring: Type.Object({}, { additionalProperties: false }) }
const byKid = {
  params: Type.Object({ kid: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$', description: 'Name of the key in the keyring file.' }) }), ...noQuery
}
const changesKeys = { tags: ['Encryption keys'], security: [{ operatorKey: ['admin'] }] }

export const listEncryptionKeys = {
  tags: ['Encryption keys'],
  security: [{ operatorKey: ['read'] }],
  operationId: 'listEncryptionKeys',
  summary: 'List key-encryption keys',
  description: 'With the live replicas and how far the rewrap is.',
  ...noQuery,
  response: { 200: answer(EncryptionKeyList, 'The keys.'), ...commonFailures }
} satisfies DescribedRoute

export const activateEncryptionKey = {
  ...changesKeys,
  operationId: 'activateEncryptionKey',
  summary: 'Seal new secrets under a key',
  description: 'On every replica within seconds. What is sealed already stays under its key until it is rewrapped.',
  ...byKid,
  response: {
    200: answer(EncryptionKeyView, 'The key is active.'),
    ...notFound('key'),
    ...conflict('A live replica lacks the key, or it is retired; the detail says which.'),
    ...commonFailures
  }
} satisfies DescribedRoute

export const retireEncryptionKey = {
  ...changesKeys,
  operationId: 'retireEncryptionKey',
  summary: 'Retire a key',
  description: 'From then on nothing is sealed under it, and it can be taken out of the keyring files. There is no way back.',
  ...byKid,
  response: {
    200: answer(EncryptionKeyView, 'The key is retired.'),
    ...notFound('key'),
    ...conflict('It is active, was replaced less than 15 minutes ago, or values are sealed under it; the detail says which and how many.'),
    ...commonFailures
  }
} satisfies DescribedRoute

export const rewrapSecrets = {
  ...changesKeys,
  operationId: 'rewrapSecrets',
  summary: 'Bring sealed secrets under the active key',
  description: 'As many as three seconds allow, at most 10,000 a second: repeat the request while it rewraps any. The ciphertext stays byte for byte; only the wrapped data key is written.',
  ...noQuery,
  response: { 200: answer(RewrapView, 'What was done and what is left.'), ...conflict('No key was activated yet.'), ...commonFailures }
} satisfies DescribedRoute
