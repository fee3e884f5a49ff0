// What each route of the bridge takes and answers: validation, types and the OpenAPI document in one.
import { Type, type Static, type TSchema } from 'typebox'
import { ref } from '../plugins/openapi.ts'
import {
  ApplicationAnswer, ClientParams, ErrorAnswer, EventHook, NewApplication, Nothing, SecretAnswer, SecretListAnswer, SecretParams, SecretWithIdAnswer,
  type ErrorBody
} from './schemas.ts'

/** Components of the document, referred to by name. */
export const konnectComponents = [
  NewApplication, EventHook, ApplicationAnswer, SecretAnswer, SecretWithIdAnswer, SecretListAnswer, ErrorAnswer
]

const failure = (description: string) => Type.Unsafe<ErrorBody>({ ...ref(ErrorAnswer), description })
const answer = <T extends TSchema> (schema: T, description: string) => Type.Unsafe<Static<T>>({ ...ref(schema), description })

const failures = {
  400: failure('The request can\'t be served; the sentence says why.'),
  401: failure('X-API-KEY is missing or not valid.'),
  403: failure('The key lacks the scope of this operation, or the client is disabled.'),
  429: failure('Not valid either, and too many such have come from this address. Retry-After says when failures are borne again; a valid one is served at any time.'),
  502: failure('Entra ID refuses the broker: its credential, its permission, a tenant policy or quota. Nothing the caller can mend.'),
  503: failure('Not finished before the deadline, or Entra ID or the database does not answer. Repeat the same request after Retry-After.')
}
const failuresOfClient = {
  ...failures,
  404: failure('There is no such client (or secret) for this key.'),
  409: failure('The application was deleted in Entra ID.')
}

const common = { tags: ['Konnect bridge'], security: [{ konnectApiKey: [] }] }

export const operations = {
  createApplication: {
    ...common,
    operationId: 'konnectCreateApplication',
    summary: 'Create an application',
    description: 'Makes the Entra application, its service principal and a secret. The same request within two minutes of an answer that was never received gets the same answer.',
    body: ref(NewApplication),
    response: { 201: answer(ApplicationAnswer, 'The client.'), ...failures }
  },
  deleteApplication: {
    ...common,
    operationId: 'konnectDeleteApplication',
    summary: 'Delete an application',
    description: 'Already gone is success.',
    params: ClientParams,
    response: { 204: Nothing, ...failuresOfClient }
  },
  rotateSecret: {
    ...common,
    operationId: 'konnectRotateSecret',
    summary: 'Replace all secrets by a new one',
    description: 'The older secrets are removed once Entra ID accepts the new one, after a minute at the latest.',
    params: ClientParams,
    response: { 200: answer(SecretAnswer, 'The new secret.'), ...failuresOfClient }
  },
  eventHook: {
    ...common,
    operationId: 'konnectEventHook',
    summary: 'Take an event',
    description: 'update_application changes name, description and redirect URIs; add_registration and remove_registration are recorded. A repeated event is harmless.',
    params: ClientParams,
    body: ref(EventHook),
    response: { 200: Nothing, ...failuresOfClient }
  },
  listSecrets: {
    ...common,
    operationId: 'konnectListSecrets',
    summary: 'List secrets',
    description: 'Those the broker made and has not removed; without their texts.',
    params: ClientParams,
    response: { 200: answer(SecretListAnswer, 'The secrets.'), ...failuresOfClient }
  },
  addSecret: {
    ...common,
    operationId: 'konnectAddSecret',
    summary: 'Add a secret',
    description: 'The older secrets stay valid. Beyond the limit of secrets per client (5 by default) the answer is 400.',
    params: ClientParams,
    response: { 201: answer(SecretWithIdAnswer, 'The new secret.'), ...failuresOfClient }
  },
  deleteSecret: {
    ...common,
    operationId: 'konnectDeleteSecret',
    summary: 'Delete a secret',
    description: 'Already gone is success. The last secret may be deleted too.',
    params: SecretParams,
    response: { 204: Nothing, ...failuresOfClient }
  }
} as const
