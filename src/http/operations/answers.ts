// Answers of the routes of the operations API, for the document.
import Type, { type TSchema } from 'typebox'
import { ref } from '../plugins/openapi.ts'
import { Problem } from './schemas.ts'

export const answer = (schema: TSchema, description: string) => ({ description, content: { 'application/json': { schema: ref(schema) } } })
export const noContent = (description: string) => Object.assign(Type.Unsafe<void>({ type: 'null' }), { description })
export const failure = (description: string) => ({ description, content: { 'application/problem+json': { schema: ref(Problem) } } })

/** Of every operation, by what its caller shows. */
export const commonFailuresFor = (what: string) => ({
  400: failure('Parameters are unknown or not acceptable; invalid_parameters names each.'),
  401: failure(`The ${what} is missing or not valid.`),
  403: failure(`The ${what} lacks the scope of this operation.`),
  429: failure('Not valid either, and too many such have come from this address. Retry-After says when failures are borne again; a valid one is served at any time.'),
  500: failure('An error of the broker; the log has it under the request id.'),
  503: failure('The database does not answer. Repeat the request after Retry-After.')
})

export const commonFailures = commonFailuresFor('operator key')

/** Of operations that change something in Entra. */
export const upstreamFailures = {
  502: failure('Entra ID refuses the broker: its credential, its permission, a tenant policy or quota.'),
  503: failure('Entra ID or the database does not answer in time, or another operation holds the client. The work goes on; repeat the request after Retry-After.')
}

export const notFound = (what: string) => ({ 404: failure(`There is no such ${what}.`) })
export const conflict = (description: string) => ({ 409: failure(description) })
