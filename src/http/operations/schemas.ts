// The wire of the operations API: one source of answers, types and the document.
import Type, { type Static } from 'typebox'
import type { CredentialState, Delivery, RegistrationState, Surface } from '../../registration/registration.ts'
import { nullable, ref } from '../plugins/openapi.ts'

const namesOf = <Name extends string>(names: Record<Name, true>) => Object.keys(names) as Name[]

// Records, not lists: the compiler asks for the name of a state that is added.
export const states = namesOf<RegistrationState>({
  reserved: true,
  application_created: true,
  principal_created: true,
  secret_issued: true,
  active: true,
  disabled: true,
  drifted: true,
  deleting: true,
  deleted: true,
  undoing: true,
  undone: true
})
export const deliveries = namesOf<Delivery>({ pending: true, delivered: true, not_delivered: true, unknown: true })
const surfaces = namesOf<Surface>({ konnect: true, register: true, operations: true })
const credentialStates = namesOf<CredentialState>({ pending: true, issued: true, active: true, revoking: true, revoked: true, lost: true })

const text = (description: string) => Type.String({ description })
const texts = (description: string) => Type.Array(Type.String(), { description })
const uuid = (description: string) => Type.String({ format: 'uuid', description })
const time = (description: string) => Type.String({ format: 'date-time', description })
const word = <Name extends string>(names: Name[], description: string) => Type.Unsafe<Name>({ type: 'string', enum: names, description })

const EntraSide = Type.Object({
  object_id: nullable(uuid('Object id of the application.')),
  principal_id: nullable(uuid('Object id of its service principal.')),
  display_name: text('Name in Entra: safe, at most 120 characters.'),
  platforms: Type.Object({
    web: texts('Confidential clients.'),
    public_client: texts('Mobile and desktop clients.'),
    spa: texts('Single-page applications.')
  }, { description: 'Redirect URIs by Entra\'s platforms.' }),
  desired_revision: Type.Integer({ description: 'Revision of the projection the broker wants.' }),
  applied_revision: Type.Integer({ description: 'Revision Entra has; behind the desired one while a change is under way.' })
}, { description: 'The Entra side.' })

const registrationMembers = {
  id: uuid('Id of the registration.'),
  client_id: nullable(uuid('Entra\'s appId; null until the application is made.')),
  client_name: text('Name as it was registered.'),
  description: nullable(Type.String({ description: 'Description as it was registered.' })),
  state: word(states, 'Where the registration stands.'),
  provider: text('Name of the provider, that is of the Entra tenant.'),
  surface: word(surfaces, 'How it was registered.'),
  delivery: word(deliveries, 'What became of the answer. `unknown`: the process ended before it knew.'),
  application_id: nullable(Type.String({ description: 'Konnect\'s application, once an event has named it.' })),
  redirect_uris: texts('Redirect URIs.'),
  grant_types: texts('OAuth grant types.'),
  scopes: texts('Scopes.'),
  token_endpoint_auth_method: text('How the client proves itself at the token endpoint.'),
  entra: EntraSide,
  verification: Type.Boolean({ description: 'Made by Konnect\'s Verify button.' }),
  last_fault: nullable(Type.String({ description: 'Code of the last failure since the last success.' })),
  created_at: time('When it was asked for.'),
  updated_at: time('When the record last changed.'),
  activated_at: nullable(time('When it became active.')),
  ended_at: nullable(time('When it was deleted or undone.'))
}

export const RegistrationSummary = Type.Object(registrationMembers, { $id: 'RegistrationSummary', description: 'A registration in a list.' })

export const CredentialView = Type.Object({
  id: uuid('Id of the credential.'),
  key_id: nullable(uuid('Entra\'s keyId.')),
  state: word(credentialStates, 'Where the credential stands.'),
  hint: nullable(Type.String({ description: 'First three characters of the secret, as the Entra portal shows them.' })),
  created_at: time('When it was asked for.'),
  expires_at: nullable(time('When the secret ends.'))
}, { $id: 'Credential', description: 'A client secret, without the secret.' })

export const EventView = Type.Object({
  id: uuid('Id of the event.'),
  type: text('Konnect\'s event type.'),
  application_id: nullable(Type.String({ description: 'Konnect\'s application.' })),
  product_id: nullable(Type.String({ description: 'API product version, or API.' })),
  audience: nullable(Type.String({ description: 'Audience override of the product version.' })),
  received_at: time('When it came.')
}, { $id: 'RegistrationEvent', description: 'An event of Konnect about the client.' })

export const RegistrationView = Type.Object({
  ...registrationMembers,
  credentials: Type.Array(ref(CredentialView), { description: 'Oldest first.' }),
  events: Type.Array(ref(EventView), { description: 'Oldest first.' })
}, { $id: 'Registration', description: 'A registration with its credentials and events.' })

export const RegistrationList = Type.Object({
  data: Type.Array(ref(RegistrationSummary)),
  meta: Type.Object({
    page: Type.Object({
      size: Type.Integer({ description: 'Most registrations of a page.' }),
      number: Type.Optional(Type.Integer({ description: 'Number of this page; absent when page[after] was given.' })),
      total: Type.Integer({ description: 'How many registrations the filters match; 10001 stands for more than 10000.' }),
      next: nullable(Type.String({ description: 'Path and query of the next page, by page[after]; null on the last.' }))
    })
  })
}, { $id: 'RegistrationList', description: 'A page of registrations.' })

export const InvalidParameterView = Type.Object({
  field: text('Name of the parameter or path of the member.'),
  rule: text('The rule that is broken, e.g. is_uuid, enum, unknown_property.'),
  reason: text('The same as a sentence.'),
  source: word(['query', 'path', 'body', 'header'], 'Where it stands.'),
  minimum: Type.Optional(Type.Number()),
  maximum: Type.Optional(Type.Number()),
  choices: Type.Optional(Type.Array(Type.String()))
}, { $id: 'InvalidParameter', description: 'What is wrong with one parameter.' })

export const Problem = Type.Object({
  status: Type.Integer({ description: 'The HTTP status.' }),
  title: text('The status in words.'),
  instance: text('`dcr-broker:trace:` and the request id, which the log has too.'),
  detail: text('What happened, as a sentence.'),
  invalid_parameters: Type.Optional(Type.Array(ref(InvalidParameterView), { minItems: 1 }))
}, { $id: 'Problem', description: 'A failure (RFC 9457).' })

/** Components of the document, referred to by name. */
export const operationsComponents = [RegistrationSummary, CredentialView, EventView, RegistrationView, RegistrationList, InvalidParameterView, Problem]

export type RegistrationSummaryBody = Static<typeof RegistrationSummary>
export type RegistrationBody = Static<typeof RegistrationView>
export type RegistrationListBody = Static<typeof RegistrationList>
