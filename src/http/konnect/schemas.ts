// Konnect's wire: what it sends (read tolerantly: it adds members without notice) and what it expects (closed objects).
// Source: Kong/konnect-portal-dcr-handler openapi.yaml; its differences from what Konnect really sends are in docs/konnect.md.
import { Type, type Static } from 'typebox'
import { example } from '../example-values.ts'
import { nullable } from '../plugins/openapi.ts'

/** Konnect's own limit for names and ids. */
const MAX_TEXT = 255
/** Entra gets a quarter of it at most. */
const MAX_DESCRIPTION = 4_096
const MAX_ENTRIES = 100

/** Absent, null and a string all occur. Ids are any strings: Konnect's Verify button sends "test portal_id". */
const optionalText = (description: string, maxLength = MAX_TEXT) => Type.Optional(nullable(Type.String({ maxLength, description })))
// The core judges names and redirect URIs, by Entra's rules too.
const optionalName = (description: string) => Type.Optional(nullable(Type.String({ description })))
/** A list, or its only entry. */
const optionalList = (description: string, limits: { maxLength?: number, maxItems?: number } = { maxLength: MAX_TEXT, maxItems: MAX_ENTRIES }) => {
  const { maxLength, maxItems } = limits
  const text = { type: 'string', ...(maxLength === undefined ? {} : { maxLength }) }
  return Type.Optional(Type.Unsafe<string[] | string | null>({
    ...text, type: ['array', 'string', 'null'], items: text, ...(maxItems === undefined ? {} : { maxItems }), description
  }))
}

const konnectIds = {
  portal_id: optionalText('Konnect\'s id of the portal; any string.'),
  organization_id: optionalText('Konnect\'s id of the organization; any string.'),
  developer_id: optionalText('Konnect\'s id of the developer; any string.'),
  auth_strategy_id: optionalText('Konnect\'s id of the auth strategy: decides how the client is projected to Entra. Unknown: the provider\'s default strategy.'),
  dcr_provider_id: optionalText('Konnect\'s id of its DCR provider; any string.')
}

export const NewApplication = Type.Object({
  client_name: Type.String({ description: 'Name of the application. Kept whole; Entra gets a safe form of at most 120 characters.' }),
  application_description: optionalText('Description of the application.', MAX_DESCRIPTION),
  redirect_uris: optionalList('https, or http on localhost and 127.0.0.1; checked by Entra\'s rules before anything is made.', {}),
  grant_types: optionalList('Grant types, or the auth methods of Konnect\'s strategy (bearer, session, …).'),
  scopes: optionalList('Kept in the record.'),
  token_endpoint_auth_method: optionalText('client_secret_post, client_secret_basic, …'),
  ...konnectIds
}, {
  $id: 'KonnectNewApplication',
  title: 'New application',
  description: 'Unknown members are ignored.',
  examples: [{
    client_name: 'Orders',
    application_description: 'Reads orders',
    redirect_uris: ['https://orders.example.com/callback'],
    grant_types: ['client_credentials'],
    scopes: ['openid'],
    token_endpoint_auth_method: 'client_secret_post',
    auth_strategy_id: example.konnectStrategyId
  }]
})

export const EventHook = Type.Object({
  event_type: Type.String({ maxLength: MAX_TEXT, description: 'update_application, add_registration or remove_registration; others are recorded.' }),
  client_id: optionalText('Must equal the client id in the path when it is there.'),
  application_id: optionalText('Konnect\'s id of the application: linked to the client.'),
  application_name: optionalName('New name.'),
  application_description: optionalText('New description; null removes it.', MAX_DESCRIPTION),
  redirect_uris: optionalList('New redirect URIs (update_application).', {}),
  api_product_version_id: optionalText('What the client was registered for.'),
  api_id: optionalText('What the client was registered for, in newer portals.'),
  audience: optionalText('Audience override of the product version.'),
  ...konnectIds
}, {
  $id: 'KonnectEventHook',
  title: 'Event',
  description: 'Unknown members are ignored.',
  examples: [
    { event_type: 'update_application', client_id: example.clientId, application_name: 'Orders', redirect_uris: ['https://orders.example.com/callback'] },
    { event_type: 'add_registration', client_id: example.clientId, application_id: example.konnectApplicationId, api_id: 'orders-api' }
  ]
})

const clientId = Type.String({ description: 'Entra\'s appId: the client_id for tokens.' })
const clientSecret = Type.String({ description: 'Shown once.', 'x-secret': true })
const secretId = Type.String({ description: 'Entra\'s keyId of the secret.' })
const time = (description: string) => Type.String({ format: 'date-time', description })

export const ApplicationAnswer = Type.Object({
  client_id: clientId,
  client_secret: clientSecret,
  client_id_issued_at: time('When the client was registered.'),
  client_secret_expires_at: time('When the secret ends.')
}, {
  $id: 'KonnectApplication',
  title: 'Application',
  additionalProperties: false,
  examples: [{
    client_id: example.clientId,
    client_secret: example.secret,
    client_id_issued_at: example.registeredAt,
    client_secret_expires_at: example.secretExpiresAt
  }]
})

export const SecretAnswer = Type.Object({
  client_id: clientId,
  client_secret: clientSecret
}, {
  $id: 'KonnectSecret', title: 'Rotated secret', additionalProperties: false, examples: [{ client_id: example.clientId, client_secret: example.secret }]
})

export const SecretWithIdAnswer = Type.Object({
  secret_id: secretId,
  client_id: clientId,
  client_secret: clientSecret,
  created_at: time('When the secret was made.'),
  expires_at: time('When the secret ends.')
}, {
  $id: 'KonnectSecretWithId',
  title: 'Added secret',
  additionalProperties: false,
  examples: [{
    secret_id: example.secretId,
    client_id: example.clientId,
    client_secret: example.secret,
    created_at: example.registeredAt,
    expires_at: example.secretExpiresAt
  }]
})

export const SecretListAnswer = Type.Object({
  secrets: Type.Array(Type.Object({
    secret_id: secretId,
    client_id: clientId,
    status: Type.Union([Type.Literal('ACTIVE'), Type.Literal('INACTIVE')], { description: 'INACTIVE: expired, or about to be removed.' }),
    created_at: time('When the secret was made.'),
    expires_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], { description: 'When the secret ends.' })
  }, { additionalProperties: false }))
}, {
  $id: 'KonnectSecretList',
  title: 'Secrets',
  additionalProperties: false,
  examples: [{
    secrets: [{
      secret_id: example.secretId,
      client_id: example.clientId,
      status: 'ACTIVE',
      created_at: example.registeredAt,
      expires_at: example.secretExpiresAt
    }]
  }]
})

export const ErrorAnswer = Type.Object({
  error: Type.String({ description: 'Short code.' }),
  error_description: Type.String({ description: 'A sentence, with the request id.' })
}, { $id: 'KonnectError', title: 'Error' })

export const Nothing = Type.Unsafe<undefined>({ type: 'null', description: 'No body.' })

export const ClientParams = Type.Object({ clientId: Type.String({ description: 'The client_id (Entra\'s appId).' }) })
export const SecretParams = Type.Object({
  clientId: Type.String({ description: 'The client_id (Entra\'s appId).' }),
  secretId: Type.String({ description: 'The secret_id (Entra\'s keyId).' })
})

export type NewApplicationBody = Static<typeof NewApplication>
export type EventHookBody = Static<typeof EventHook>
export type ErrorBody = Static<typeof ErrorAnswer>
