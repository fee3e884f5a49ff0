// Registrations on the wire of the operations API: one source of answers, types and the document.
import Type, { type Static } from 'typebox'
import type { CredentialState, Delivery, RegistrationState, Surface } from '../../../registration/registration.ts'
import { nullable, ref } from '../../plugins/openapi.ts'
import { pageSchema } from '../listing/pages.ts'
import { LabelChanges, Labels, namesOf, text, texts, time, uuid, word } from '../schemas.ts'
import { exampleAuditEntry, exampleRegistration, exampleRotatedSecret, exampleSummary } from './examples.ts'

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
export const surfaces = namesOf<Surface>({ konnect: true, register: true, operations: true })
const credentialStates = namesOf<CredentialState>({ pending: true, issued: true, active: true, revoking: true, revoked: true, lost: true })

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

export const registrationMembers = {
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
  labels: Labels,
  owner: nullable(Type.String({ description: 'Who answers for the client, as an operator wrote it.' })),
  disabled_at: nullable(time('When it was disabled.')),
  disabled_by: nullable(Type.String({ description: 'expiry, which also deletes it after the grace of its policy; never_linked, which is deleted after a grace, too; or operator.' })),
  adopted_at: nullable(time('When the application, which the broker did not make, came into its care.')),
  verification: Type.Boolean({ description: 'Made by Konnect\'s Verify button.' }),
  last_fault: nullable(Type.String({ description: 'Code of the last failure since the last success.' })),
  created_at: time('When it was asked for.'),
  updated_at: time('When the record last changed.'),
  activated_at: nullable(time('When it became active.')),
  last_used_at: nullable(time('Latest use that the gateway listener or another declared source has seen; null: none.')),
  ended_at: nullable(time('When it was deleted or undone.'))
}

export const RegistrationSummary = Type.Object(registrationMembers, {
  $id: 'RegistrationSummary', description: 'A registration in a list.', examples: [exampleSummary]
})

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

export const LinkView = Type.Object({
  product_id: text('API product version, or API.'),
  application_id: nullable(Type.String({ description: 'Konnect\'s application.' })),
  audience: nullable(Type.String({ description: 'Audience override of the product version.' })),
  since: time('When Konnect added it.')
}, { $id: 'RegistrationLink', description: 'A product or API that Konnect has added to the client and not removed.' })

export const RegistrationView = Type.Object({
  ...registrationMembers,
  links: Type.Array(ref(LinkView), { description: 'What the events say is linked now.' }),
  credentials: Type.Array(ref(CredentialView), { description: 'Oldest first.' }),
  events: Type.Array(ref(EventView), { description: 'Oldest first.' })
}, {
  $id: 'Registration',
  description: 'A registration with its credentials and events.',
  examples: [exampleRegistration]
})

export const RegistrationList = pageSchema(RegistrationSummary, 'RegistrationList', 'registrations')

export const RotatedSecret = Type.Object({
  id: uuid('Id of the registration.'),
  client_id: uuid('Entra\'s appId.'),
  secret_id: uuid('Entra\'s keyId.'),
  client_secret: Type.String({ description: 'Shown once.', 'x-secret': true }),
  created_at: time('When the secret was made.'),
  expires_at: time('When it ends.')
}, {
  $id: 'RotatedSecret',
  description: 'The new secret. The older ones are removed once Entra ID accepts it, after a minute at the latest.',
  examples: [exampleRotatedSecret]
})

const owner = nullable(Type.String({ minLength: 1, maxLength: 255, description: 'Who answers for the client; null takes it away.' }))

export const RegistrationChanges = Type.Object({
  labels: Type.Optional(LabelChanges),
  owner: Type.Optional(owner)
}, {
  $id: 'RegistrationChanges',
  additionalProperties: false,
  minProperties: 1,
  description: 'What is left out stays as it is.',
  examples: [{ labels: { team: 'orders', env: null }, owner: 'orders@example.com' }, { owner: null }]
})

export const LabelsOnly = Type.Object({
  labels: LabelChanges
}, {
  $id: 'RegistrationLabelChanges',
  additionalProperties: false,
  description: 'What is left out stays as it is.',
  examples: [{ labels: { team: 'orders', env: null } }]
})

export const AuditEntryView = Type.Object({
  id: uuid('Id of the event.'),
  at: time('When it happened.'),
  actor: text('Id of the caller; client:<registration id> for the holder of its management token; broker for its own work; cli.'),
  action: text('What was done.'),
  outcome: text('succeeded or failed.'),
  request_id: nullable(Type.String({ description: 'x-request-id of the request.' })),
  source_address: nullable(Type.String({ description: 'Where the request came from, if it was noted.' })),
  detail: Type.Unsafe<Record<string, string | number | boolean | null>>({ type: 'object', additionalProperties: true, description: 'Never a secret.' })
}, { $id: 'RegistrationAuditEvent', description: 'What happened to the registration, and by whom.', examples: [exampleAuditEntry] })

export const AuditEntryList = pageSchema(AuditEntryView, 'RegistrationAuditEventList', 'events')

/** Components of both documents: what callers see of their own clients too. */
export const ownRegistrationComponents = [RegistrationSummary, CredentialView, EventView, LinkView, RegistrationView, RegistrationList, RotatedSecret]

/** Components of the operations document, referred to by name. */
export const registrationComponents = [...ownRegistrationComponents, RegistrationChanges, AuditEntryView, AuditEntryList]

export type RegistrationSummaryBody = Static<typeof RegistrationSummary>
export type RegistrationBody = Static<typeof RegistrationView>
export type RegistrationListBody = Static<typeof RegistrationList>
export type RotatedSecretBody = Static<typeof RotatedSecret>
export type AuditEntryBody = Static<typeof AuditEntryView>
