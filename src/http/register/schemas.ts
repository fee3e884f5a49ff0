// The wire of RFC 7591 and RFC 7592. Read tolerantly: unknown members are ignored, null and "" are as good as absent (RFC 7592 §2.2).
import { Type, type Static } from 'typebox'
import { LOCALIZED_MEMBER } from '../../registration/metadata/requested-document.ts'
import type { Json } from '../../registration/registration.ts'
import { example } from '../example-values.ts'
import { nullable } from '../plugins/openapi.ts'

const MAX_TEXT = 2_048
const MAX_ENTRIES = 256

const text = (description: string) => Type.Optional(nullable(Type.String({ maxLength: MAX_TEXT, description })))
const texts = (description: string) => Type.Optional(nullable(Type.Array(Type.String({ maxLength: MAX_TEXT }), { maxItems: MAX_ENTRIES, description })))
/** The core reads what is inside. */
const json = (description: string) => Type.Optional(Type.Unsafe<Json>({ description }))

const metadata = {
  redirect_uris: texts('https, http on localhost and 127.0.0.1, or a private-use scheme. Needed for authorization_code.'),
  token_endpoint_auth_method: text('client_secret_basic (the default), client_secret_post, none or private_key_jwt.'),
  grant_types: texts('Default: authorization_code. What the policy does not allow is left out of the answer.'),
  response_types: texts('Default: code, which is the only one.'),
  client_name: text('Shown to people who sign in. Entra gets a safe form of at most 120 characters.'),
  client_uri: text('Home page.'),
  logo_uri: text('Kept and echoed; never fetched.'),
  scope: text('Names separated by spaces: the identity scopes and those of the scope catalogue. Unknown ones are left out of the answer.'),
  contacts: texts('Ways to reach the people responsible.'),
  tos_uri: text('Terms of service.'),
  policy_uri: text('Privacy statement.'),
  jwks: Type.Optional(Type.Unsafe<Json>({ type: ['object', 'null'], description: 'A JWK Set of public keys. For private_key_jwt each has x5c: Entra knows certificates only.' })),
  jwks_uri: text('Refused: the broker fetches nothing. Give the keys by value in jwks.'),
  software_id: text('Id of the software, the same for all its instances.'),
  software_version: text('Version of the software.'),
  application_type: text('web or native (OpenID Connect Registration).'),
  post_logout_redirect_uris: texts('Kept and echoed.'),
  initiate_login_uri: text('Kept and echoed.'),
  token_endpoint_auth_signing_alg: text('RS256 or PS256.'),
  id_token_signed_response_alg: text('Replaced by RS256.'),
  subject_type: text('Replaced by pairwise.'),
  entra_platform: text('Where the redirect URIs go in Entra: web, publicClient or spa. A client that redeems its codes in a browser says spa.'),
  entra_federated_identity_credentials: json('Whose tokens Entra takes instead of a secret: a list of {issuer, subject, audience}; audience is api://AzureADTokenExchange by default.')
}

const localized = { patternProperties: { [LOCALIZED_MEMBER.source]: { type: ['string', 'null'], maxLength: MAX_TEXT } } }

const newClientExamples = [
  // A web application with a secret.
  { client_name: 'Orders', redirect_uris: ['https://orders.example.com/callback'], grant_types: ['authorization_code', 'refresh_token'], scope: 'openid profile' },
  // A client without one, such as an MCP client.
  {
    client_name: 'Editor',
    redirect_uris: ['http://127.0.0.1:33418/', 'https://editor.example.com/redirect'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
    application_type: 'native'
  },
  // A service that acts for itself.
  { client_name: 'Nightly import', grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_post' }
]

export const NewClient = Type.Object(metadata, {
  ...localized,
  $id: 'NewClient',
  title: 'Client metadata',
  description: 'RFC 7591 §2. Texts in other languages have a language tag: client_name#ja.',
  examples: newClientExamples
})

export const ClientReplacement = Type.Object({
  ...metadata,
  client_id: text('Needed; the one of the address.'),
  client_secret: Type.Optional(nullable(Type.String({ maxLength: MAX_TEXT, description: 'The current one when it is there; a client can\'t choose its own.', 'x-secret': true })))
}, {
  ...localized,
  $id: 'ClientReplacement',
  title: 'Replacing client metadata',
  description: 'All of it: what is left out is deleted (RFC 7592 §2.2). registration_access_token, registration_client_uri, client_secret_expires_at and client_id_issued_at must not be there.',
  examples: [{ client_id: example.clientId, ...newClientExamples[0], client_name: 'Orders, renamed' }]
})

/** Members that only the server writes (RFC 7592 §2.2). */
export const SERVER_MEMBERS = ['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at'] as const

const link = (description: string) => Type.String({ format: 'uri', description })
const seconds = (description: string) => Type.Integer({ description: `${description} Seconds since 1970.` })

export const RegisteredClientAnswer = Type.Object({
  client_id: Type.String({ description: 'Entra\'s appId: the client_id for tokens.' }),
  client_id_issued_at: seconds('When the client was registered.'),
  client_secret: Type.Optional(Type.String({ description: 'Of clients that present one; absent when the policy shows it only once.', 'x-secret': true })),
  client_secret_expires_at: Type.Optional(seconds('When the secret ends; there exactly when the secret is.')),
  registration_access_token: Type.Optional(Type.String({ description: 'For the management of this client; absent for a client that is shared.', 'x-secret': true })),
  registration_client_uri: Type.Optional(link('Where the client is managed; there exactly when the token is.')),
  client_name: Type.String({ description: 'Name as registered.' }),
  redirect_uris: Type.Array(Type.String(), { description: 'As they were sent.' }),
  grant_types: Type.Array(Type.String(), { description: 'Those that were registered.' }),
  response_types: Type.Array(Type.String(), { description: 'Those that were registered.' }),
  token_endpoint_auth_method: Type.String({ description: 'As registered.' }),
  scope: Type.Optional(Type.String({ description: 'Names that were registered, separated by spaces.' }))
}, {
  $id: 'RegisteredClient',
  title: 'Registered client',
  description: 'RFC 7591 §3.2.1: with every member that was registered.',
  additionalProperties: true,
  examples: [{
    client_id: example.clientId,
    client_id_issued_at: 1_795_683_600,
    client_secret: example.secret,
    client_secret_expires_at: 1_811_235_600,
    registration_access_token: example.managementToken,
    registration_client_uri: `https://dcr.example.com/register/${example.clientId}`,
    client_name: 'Orders',
    redirect_uris: ['https://orders.example.com/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: 'openid profile'
  }]
})

const Access = Type.Object({
  resourceAppId: Type.String({ description: 'The resource application.' }),
  permissions: Type.Array(Type.Object({ id: Type.String(), type: Type.String({ description: 'Scope (delegated) or Role.' }) }))
})

export const PreviewAnswer = Type.Object({
  policy: Type.String({ description: 'Name of the policy that bounds the registration.' }),
  registered: Type.Object({}, { additionalProperties: true, description: 'The document as it would be registered.' }),
  entra: Type.Object({
    displayName: Type.String(),
    platforms: Type.Object({ web: Type.Array(Type.String()), publicClient: Type.Array(Type.String()), spa: Type.Array(Type.String()) }),
    requiredResourceAccess: Type.Array(Access),
    grantedAccess: Type.Array(Access, { description: 'What the broker would grant for the whole tenant.' })
  }, { additionalProperties: true, description: 'What would be written to Entra, in Graph\'s names.' })
}, {
  $id: 'RegistrationPreview',
  title: 'Dry run',
  description: 'What the request would become. Nothing was made.',
  examples: [{
    policy: 'default',
    registered: { client_name: 'Orders', redirect_uris: ['https://orders.example.com/callback'], grant_types: ['authorization_code'] },
    entra: {
      displayName: 'Orders',
      platforms: { web: ['https://orders.example.com/callback'], publicClient: [], spa: [] },
      requiredResourceAccess: [],
      grantedAccess: []
    }
  }]
})

export const OAuthError = Type.Object({
  error: Type.String({ description: 'Code.' }),
  error_description: Type.String({ description: 'A sentence in ASCII.' })
}, { $id: 'OAuthError', title: 'Error', description: 'RFC 7591 §3.2.2.' })

export const NoContent = Type.Unsafe<undefined>({ type: 'null', description: 'No body.' })

/** Components of the document, referred to by name. */
export const registerComponents = [NewClient, ClientReplacement, RegisteredClientAnswer, PreviewAnswer, OAuthError]

export type NewClientBody = Static<typeof NewClient>
export type ClientReplacementBody = Static<typeof ClientReplacement>
