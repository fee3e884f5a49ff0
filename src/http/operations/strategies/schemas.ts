// Auth strategies on the wire of the operations API.
import Type, { type Static } from 'typebox'
import { konnectStrategyOf } from '../../../administration/konnect-strategy.ts'
import { contentOf, StrategyBody, StrategyChangeBody, type StrategyDocument } from '../../../administration/strategy-document.ts'
import { example } from '../../example-values.ts'
import { nullable } from '../../plugins/openapi.ts'
import { pageSchema } from '../listing/pages.ts'
import { Labels, text, texts, time, uuid, word } from '../schemas.ts'

const v1: StrategyDocument = {
  name: 'Orders v1',
  display_name: 'Microsoft Entra ID',
  strategy_type: 'openid_connect',
  configs: {
    'openid-connect': {
      issuer: example.v1Issuer,
      credential_claim: ['appid'],
      scopes: [],
      auth_methods: ['client_credentials', 'bearer']
    }
  },
  audience: 'api://orders',
  konnect_auth_strategy_id: example.konnectStrategyId
}

const v2: StrategyDocument = {
  name: 'Orders v2',
  strategy_type: 'openid_connect',
  configs: {
    'openid-connect': {
      issuer: example.v2Issuer,
      credential_claim: ['azp'],
      scopes: ['api://orders/.default'],
      auth_methods: ['client_credentials', 'bearer']
    }
  },
  resource_app_id: example.resourceAppId,
  audience: example.resourceAppId,
  token_version: 2
}

export const NewStrategy = Type.Object(StrategyBody.properties, {
  additionalProperties: false, $id: 'NewAuthStrategy', description: 'Konnect\'s form and the broker\'s own members.', examples: [v1, v2]
})

export const StrategyChange = Type.Object(StrategyChangeBody.properties, {
  additionalProperties: false,
  $id: 'AuthStrategyChange',
  description: 'What is left out stays, in configs and labels too.',
  examples: [{ is_default: true }, { configs: { 'openid-connect': { cache_tokens: false } }, labels: { team: null } }]
})

const OpenIdConnectView = Type.Object({
  issuer: text('Issuer.'),
  credential_claim: texts('The claim with the client\'s id.'),
  scopes: texts('Scopes.'),
  auth_methods: texts('Auth methods.')
}, { additionalProperties: true, description: 'With the other members of Kong\'s plugin that were given.' })

const ProviderSummary = Type.Object({
  id: uuid('Id of the provider.'),
  name: text('Its name.'),
  display_name: nullable(Type.String({ description: 'Its display name.' })),
  provider_type: text('azureAd')
}, { description: 'The DCR provider, that is the tenant.' })

export const StrategyView = Type.Object({
  id: uuid('Id of the strategy.'),
  name: text('Unique within the provider.'),
  display_name: nullable(Type.String({ description: 'Shown to developers by Konnect.' })),
  strategy_type: word(['openid_connect'], 'The one type there is here.'),
  configs: Type.Object({ 'openid-connect': OpenIdConnectView }),
  active: Type.Boolean({ description: 'Registrations have it.' }),
  dcr_provider_id: uuid('Id of the broker\'s DCR provider.'),
  dcr_provider: ProviderSummary,
  labels: Labels,
  konnect_auth_strategy_id: nullable(Type.String({ description: 'Id of the strategy in Konnect.' })),
  resource_app_id: nullable(uuid('appId of the API whose tokens the clients ask for.')),
  audience: nullable(Type.String({ description: 'aud of the tokens.' })),
  token_version: Type.Integer({ description: 'Version of the tokens that a client gets for itself, 1 or 2.' }),
  check_secrets_at_entra: Type.Boolean({ description: 'Gateways that ask the broker have each secret checked at Entra, too.' }),
  is_default: Type.Boolean({ description: 'For registrations that name no strategy, or one that is not known.' }),
  origin: word(['environment', 'database'], 'What the environment defines is read-only.'),
  warnings: texts('What is doubtful in it, a sentence each.'),
  created_at: time('When it was made.'),
  updated_at: time('When it last changed.')
}, {
  $id: 'AuthStrategy',
  description: 'How registrations that name it are translated and how their tokens are recognised.',
  examples: [{
    id: '01a211dc-9b00-7d41-9e32-5a7b9d1f3c68',
    ...v1,
    active: true,
    dcr_provider_id: example.providerId,
    dcr_provider: { id: example.providerId, name: example.providerName, display_name: example.providerDisplayName, provider_type: 'azureAd' },
    labels: {},
    resource_app_id: null,
    token_version: 1,
    check_secrets_at_entra: false,
    is_default: false,
    origin: 'database',
    warnings: [],
    created_at: example.setUpAt,
    updated_at: example.setUpAt
  }]
})

export const KonnectStrategyView = Type.Object({
  name: text('Name.'),
  display_name: text('Shown to developers.'),
  strategy_type: word(['openid_connect'], 'Type.'),
  configs: Type.Object({ 'openid-connect': OpenIdConnectView }),
  dcr_provider_id: Type.Optional(uuid('Konnect\'s id of the DCR provider, as it was given in the query.')),
  labels: Type.Optional(Labels)
}, {
  $id: 'KonnectAuthStrategy',
  description: 'A body for Konnect\'s POST /v2/application-auth-strategies.',
  examples: [konnectStrategyOf(contentOf(v1), 'b1b9a4e5-8f8f-4f11-9d3b-555555555555')]
})

export const StrategyList = pageSchema(StrategyView, 'AuthStrategyList', 'strategies')

/** Components of the document, referred to by name. */
export const strategyComponents = [NewStrategy, StrategyChange, StrategyView, KonnectStrategyView, StrategyList]

export type StrategyViewBody = Static<typeof StrategyView>
