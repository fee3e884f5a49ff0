// Export and import on the wire: one JSON object a line (NDJSON).
import Type, { type Static } from 'typebox'
import type { Json } from '../../../registration/registration.ts'
import { example } from '../../example-values.ts'
import { nullable, ref } from '../../plugins/openapi.ts'
import { NewClient } from '../../register/schemas.ts'
import { Labels, text, uuid, word } from '../schemas.ts'
import { exampleSummary } from './examples.ts'
import { registrationMembers } from './schemas.ts'

export const NDJSON = 'application/x-ndjson'

const exampleDocument = {
  client_name: 'Orders',
  redirect_uris: ['https://orders.example.com/callback'],
  grant_types: ['client_credentials'],
  token_endpoint_auth_method: 'client_secret_post',
  scope: 'openid'
}

export const ExportedRegistration = Type.Object({
  ...registrationMembers,
  document: Type.Unsafe<Record<string, Json>>({ type: 'object', additionalProperties: true, description: 'The client metadata (RFC 7591); an import takes it.' })
}, {
  $id: 'ExportedRegistration',
  description: 'A line of an export. Never a secret.',
  examples: [{ ...exampleSummary, document: { ...exampleDocument, response_types: [] } }]
})

export const ImportLine = Type.Object({
  provider: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'Name of the provider; the key\'s own, else default.' })),
  key: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'Makes a repeat harmless: a key makes one registration at a provider, ever.' })),
  document: ref(NewClient),
  labels: Type.Optional(Labels),
  owner: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 255, description: 'Who answers for the client.' })))
}, {
  $id: 'ImportLine',
  additionalProperties: false,
  description: 'A line of an import.',
  examples: [{ provider: example.providerName, key: 'orders', document: exampleDocument, labels: { team: 'orders' }, owner: 'orders@example.com' }]
})

const outcomes = ['created', 'unchanged', 'refused', 'failed'] as const

export const ImportReport = Type.Object({
  line: Type.Integer({ minimum: 1, description: 'Number of the line in the body.' }),
  outcome: word([...outcomes], 'unchanged: the key has its registration already. refused: a repeat would be refused too. failed: a repeat may succeed.'),
  id: Type.Optional(uuid('Id of the registration.')),
  client_id: Type.Optional(nullable(uuid('Entra\'s appId.'))),
  client_secret: Type.Optional(Type.String({ description: 'Shown once, or again to a repeat if its first answer was not received.', 'x-secret': true })),
  client_secret_expires_at: Type.Optional(Type.String({ format: 'date-time', description: 'When the secret ends; there exactly when the secret is.' })),
  error: Type.Optional(text('What is wrong, as a sentence.'))
}, {
  $id: 'ImportReport',
  description: 'What became of one line.',
  examples: [
    {
      line: 1,
      outcome: 'created',
      id: example.registrationId,
      client_id: example.clientId,
      client_secret: example.secret,
      client_secret_expires_at: example.secretExpiresAt
    },
    { line: 2, outcome: 'refused', error: 'There is no provider fabrikam.' }
  ]
})

/** Components of the document, referred to by name. */
export const transferComponents = [NewClient, ExportedRegistration, ImportLine, ImportReport]

export type ExportedRegistrationBody = Static<typeof ExportedRegistration>
export type ImportLineBody = Static<typeof ImportLine>
export type ImportReportBody = Static<typeof ImportReport>
