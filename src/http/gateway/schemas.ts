// The wire of the gateway listener: one source of answers, types and the document.
import { Type, type Static } from 'typebox'
import { example } from '../example-values.ts'
import { nullable } from '../plugins/openapi.ts'
import { OAuthError } from '../register/schemas.ts'

export const gatewayTag = { name: 'Gateways', description: 'Whether a client may go on, now.' }

const text = (description: string) => Type.String({ description })
const uuid = (description: string) => Type.String({ format: 'uuid', description })
const seconds = (description: string) => Type.Optional(Type.Integer({ description }))
const claim = (description: string) => Type.Optional(Type.String({ description }))

export const IntrospectionRequest = Type.Object({
  token: Type.Optional(Type.String({ 'x-secret': true, description: 'An access token of Entra, v1 or v2.' })),
  token_type_hint: Type.Optional(Type.String({ description: 'Ignored: there is one type.' }))
}, {
  $id: 'IntrospectionRequest',
  description: 'As application/x-www-form-urlencoded. Other members are ignored.',
  examples: [{ token: example.key, token_type_hint: 'access_token' }]
})

const Active = Type.Object({
  active: Type.Unsafe<true>({ type: 'boolean', const: true, description: 'A token of a registered client that may use it.' }),
  token_type: text('Bearer.'),
  client_id: uuid('Entra\'s appId, by the claim that the strategy names.'),
  client_name: text('As registered.'),
  scope: claim('What the user lets the client do, separated by spaces (`scp`). A client that acts for itself has roles.'),
  roles: Type.Array(Type.String(), { description: 'App roles of the client, or of the user who signed in to it.' }),
  iss: claim('Issuer.'),
  aud: claim('Audience; one of the strategy\'s.'),
  sub: claim('Subject.'),
  oid: claim('Object id of the service principal or the user.'),
  tid: claim('Tenant.'),
  jti: claim('Id of the token (`uti`).'),
  exp: seconds('End, in seconds since 1970.'),
  iat: seconds('When it was issued.'),
  nbf: seconds('Beginning.'),
  registration_id: uuid('Id of the registration.'),
  provider: nullable(text('Name of the provider.')),
  strategy: Type.Object({
    id: uuid('Id of the auth strategy.'),
    name: text('Its name.'),
    konnect_auth_strategy_id: nullable(text('Its id in Konnect, when it is linked.'))
  }, { description: 'Which strategy has recognised the token.' }),
  application_id: nullable(text('Konnect\'s application.')),
  developer_id: nullable(text('Konnect\'s developer.')),
  labels: Type.Record(Type.String(), Type.String(), { description: 'Of the registration.' }),
  products: Type.Array(Type.String(), { description: 'API product versions and APIs that Konnect has linked and not removed.' })
})
export const Introspection = Type.Object({
  ...Type.Partial(Active).properties,
  active: Type.Boolean({ description: 'Whether it is a token of a registered client that may use it now. When not, nothing else is said.' })
}, {
  $id: 'Introspection',
  description: 'RFC 7662 §2.2.',
  examples: [{
    active: true,
    token_type: 'Bearer',
    client_id: example.clientId,
    client_name: 'Orders',
    roles: ['Orders.Read'],
    iss: example.v2Issuer,
    aud: example.resourceAppId,
    tid: example.tenantId,
    exp: 1795687200,
    iat: 1795683300,
    nbf: 1795683300,
    registration_id: example.registrationId,
    provider: example.providerName,
    strategy: { id: '01a211e2-7a10-7c4b-9f3d-5e7a9c1b3d60', name: 'orders v2', konnect_auth_strategy_id: example.konnectStrategyId },
    application_id: example.konnectApplicationId,
    developer_id: null,
    labels: { team: 'orders' },
    products: []
  }, { active: false }]
})

export type ActiveToken = Static<typeof Active>

/** Components of the document, referred to by name. */
export const gatewayComponents = [IntrospectionRequest, Introspection, OAuthError]
