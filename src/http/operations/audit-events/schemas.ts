// Audit events on the wire of the operations API.
import Type, { type Static } from 'typebox'
import { example } from '../../example-values.ts'
import { nullable } from '../../plugins/openapi.ts'
import { pageSchema } from '../listing/pages.ts'
import { exampleAuditEntry } from '../registrations/examples.ts'
import { text, time, uuid } from '../schemas.ts'

export const AuditEventView = Type.Object({
  id: uuid('Id of the event.'),
  at: time('When it happened.'),
  actor: text('Who: the id of a caller, `client:` and the id of a registration for the holder of its token, `broker` for its own work, or `cli`.'),
  action: text('What, e.g. registration.reserved, encryption_key.activated.'),
  outcome: text('`succeeded` or `failed`.'),
  registration_id: nullable(uuid('Which registration.')),
  provider: nullable(Type.String({ description: 'Name of the provider it concerns; null: the whole installation.' })),
  request_id: nullable(Type.String({ description: 'The request, as the log and the answer name it.' })),
  source_address: nullable(Type.String({ description: 'Address the request came from: that of the proxy where there is one.' })),
  detail: Type.Unknown({ description: 'What else there is to say. Never a secret.' }),
  seq: nullable(Type.Integer({ description: 'Its number in the chain; null until it is sealed, within seconds.' }))
}, {
  $id: 'AuditEvent',
  description: 'Who did what, when. Events are never changed and never deleted.',
  examples: [
    { ...exampleAuditEntry, registration_id: example.registrationId, provider: example.providerName, seq: 42 },
    {
      id: '01a2168b-f240-7c30-8e41-6c9a5d2f7b8c',
      at: '2026-11-26T06:30:00.000Z',
      actor: example.operatorId,
      action: 'encryption_key.activated',
      outcome: 'succeeded',
      registration_id: null,
      provider: null,
      request_id: '1a9c7d3e-5f2b-4c8d-8e64-9b3f7a1d2c05',
      source_address: '198.51.100.20',
      detail: { kid: '2026-11', replaced: ['2026-05'] },
      seq: 41
    }
  ]
})

export const AuditEventList = pageSchema(AuditEventView, 'AuditEventList', 'audit events')

/** Components of the document, referred to by name. */
export const auditComponents = [AuditEventView, AuditEventList]

export type AuditEventBody = Static<typeof AuditEventView>
