// DCR providers on the wire: Konnect's members, and ours beside them.
import Type, { type Static, type TSchema } from 'typebox'
import { example } from '../../example-values.ts'
import { nullable, ref } from '../../plugins/openapi.ts'
import { pageSchema } from '../listing/pages.ts'
import { LabelChanges, Labels, namesOf, text, time, uuid, word } from '../schemas.ts'

export const providerTypes = ['azureAd' as const]
export const origins = namesOf<'environment' | 'database'>({ environment: true, database: true })
const kinds = namesOf<'secret' | 'certificate' | 'federated'>({ secret: true, certificate: true, federated: true })
const states = namesOf<'standby' | 'active' | 'removed'>({ standby: true, active: true, removed: true })

const GUID = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
/** It becomes a segment of paths: /t/<name>/register. */
const NAME = '^(?!\\.{1,2}$)[^\\s/\\\\?#%\\p{C}]([^/\\\\?#%\\p{C}]*[^\\s/\\\\?#%\\p{C}])?$'

const closed = { additionalProperties: false } as const

const secretText = (description: string) => Type.String({ minLength: 1, maxLength: 256, pattern: '^[\\x21-\\x7e]+$', description, 'x-secret': true })
const pem = (description: string) => Type.String({ minLength: 1, maxLength: 32_768, description, 'x-secret': true })
const clientId = (description: string) => Type.String({ pattern: GUID, description })
const name = Type.String({ minLength: 1, maxLength: 256, pattern: NAME, description: 'Its name, also in addresses: /t/<name>/register. Unique; without / \\ ? # %.' })
const displayName = nullable(Type.String({ minLength: 1, maxLength: 256, description: 'For people.' }))
const issuer = Type.String({
  minLength: 1,
  maxLength: 256,
  description: 'Names the tenant and the cloud: https://sts.windows.net/<tenant id>/ (v1 tokens) or https://login.microsoftonline.com/<tenant id>/v2.0 (v2 tokens).'
})
const addressOf = (description: string) => nullable(Type.String({ minLength: 1, maxLength: 256, description }))
const authorityHost = addressOf('Sign-in host, where the issuer leaves it open. One of Microsoft\'s clouds, the environment\'s, or loopback.')
const graphBaseUrl = addressOf('Microsoft Graph of that cloud, where it has more than one (https://dod-graph.microsoft.us).')

const credentialMembers = {
  initial_client_secret: Type.Optional(secretText('Its secret. Write-only: sealed in the database and shown by nothing.')),
  initial_client_secret_expires_at: Type.Optional(nullable(time('When the secret ends, so that the broker can warn before.'))),
  initial_client_certificate: Type.Optional(pem('Instead of the secret: PEM with an unencrypted private key and its certificate. Write-only.')),
  initial_client_federated: Type.Optional(Type.Boolean({ description: 'Instead of the secret: the token of the broker\'s platform (AZURE_FEDERATED_TOKEN_FILE).' })),
  initial_client_audience: Type.Optional(Type.Unsafe<unknown>({ description: 'Refused, as by Konnect: it belongs to auth0.' }))
}

const named = { provider_type: 'azureAd', name: example.providerName, display_name: example.providerDisplayName, issuer: example.v1Issuer }
const credentialExpiresAt = '2027-05-24T08:00:00.000Z'

export const NewProvider = Type.Object({
  provider_type: word(providerTypes, 'The kind of identity provider.'),
  name,
  display_name: Type.Optional(displayName),
  issuer,
  authority_host: Type.Optional(authorityHost),
  graph_base_url: Type.Optional(graphBaseUrl),
  dcr_config: Type.Object({ initial_client_id: clientId('appId of the broker\'s application in the tenant.'), ...credentialMembers }, closed),
  labels: Type.Optional(Labels)
}, {
  $id: 'NewDcrProvider',
  description: 'A DCR provider to make, with exactly one credential.',
  ...closed,
  examples: [
    {
      ...named,
      dcr_config: {
        initial_client_id: example.brokerClientId, initial_client_secret: example.secret, initial_client_secret_expires_at: credentialExpiresAt
      },
      labels: { env: 'test' }
    },
    { ...named, dcr_config: { initial_client_id: example.brokerClientId, initial_client_federated: true } }
  ]
})

export const ProviderChange = Type.Object({
  provider_type: Type.Optional(Type.String({ description: 'Can\'t be changed.' })),
  name: Type.Optional(name),
  display_name: Type.Optional(displayName),
  issuer: Type.Optional(issuer),
  authority_host: Type.Optional(authorityHost),
  graph_base_url: Type.Optional(graphBaseUrl),
  dcr_config: Type.Optional(Type.Object({ initial_client_id: Type.Optional(clientId('Another application of the broker: needs its credential.')), ...credentialMembers }, closed)),
  labels: Type.Optional(LabelChanges)
}, {
  $id: 'DcrProviderChange',
  description: 'What is to change; what is left out stays, also inside dcr_config.',
  ...closed,
  examples: [{ display_name: 'Contoso, test', labels: { env: 'test', team: null } }, { dcr_config: { initial_client_secret: example.secret } }]
})

const ends = nullable(time('When it ends; null: not known.'))
const verified = nullable(time('When it has passed a verification last.'))
const hint = nullable(Type.String({ description: 'First characters of a secret, SHA-256 fingerprint of a certificate.' }))

const secretInUse = {
  id: '01a211d3-7341-7b21-9d4e-2f6a8b0c1d32', kind: 'secret', hint: 'aB3', expires_at: credentialExpiresAt, verified_at: '2026-11-25T08:35:00.000Z'
}

export const ProviderView = Type.Object({
  id: uuid('Id of the provider.'),
  name: text('Its name.'),
  display_name: nullable(Type.String({ description: 'For people.' })),
  provider_type: word(providerTypes, 'The kind of identity provider.'),
  issuer: text('As Entra ID writes it.'),
  active: Type.Boolean({ description: 'A key or token of it can register, or something is registered.' }),
  dcr_config: Type.Object({ initial_client_id: text('appId of the broker\'s application in the tenant.') }),
  labels: Labels,
  origin: word(origins, 'Where it is defined. What the environment defines is read-only here.'),
  tenant_id: text('The Entra tenant.'),
  authority_host: nullable(Type.String({ description: 'Sign-in host.' })),
  graph_base_url: nullable(Type.String({ description: 'Microsoft Graph.' })),
  credential: nullable(Type.Object({
    id: nullable(uuid('Id of the credential; null: the environment\'s.')), kind: word(kinds, 'What it is.'), hint, expires_at: ends, verified_at: verified
  }, { description: 'The one in use.' })),
  created_at: time('When it was made.'),
  updated_at: time('When it last changed.')
}, {
  $id: 'DcrProvider',
  description: 'An Entra tenant in which the broker registers clients.',
  examples: [{
    id: example.providerId,
    ...named,
    active: true,
    dcr_config: { initial_client_id: example.brokerClientId },
    labels: { env: 'test' },
    origin: 'database',
    tenant_id: example.tenantId,
    authority_host: 'https://login.microsoftonline.com',
    graph_base_url: 'https://graph.microsoft.com',
    credential: secretInUse,
    created_at: example.setUpAt,
    updated_at: example.setUpAt
  }]
})

export const ProviderList = pageSchema(ProviderView, 'DcrProviderList', 'providers')

export const NewCredential = Type.Object({
  kind: word(kinds, 'What it is.'),
  client_id: Type.Optional(clientId('appId of the application it belongs to; the provider\'s if left out.')),
  secret: Type.Optional(secretText('With kind secret. Write-only.')),
  certificate: Type.Optional(pem('With kind certificate: PEM with an unencrypted private key and its certificate. Write-only.')),
  expires_at: Type.Optional(nullable(time('With kind secret: when it ends.')))
}, {
  $id: 'NewProviderCredential',
  description: 'A credential that stands by until it is activated.',
  ...closed,
  examples: [{ kind: 'secret', secret: example.secret, expires_at: credentialExpiresAt }, { kind: 'federated' }]
})

const exampleCredential = { ...secretInUse, state: 'active', client_id: example.brokerClientId, created_at: example.setUpAt, activated_at: example.setUpAt }

export const CredentialView = Type.Object({
  id: uuid('Id of the credential.'),
  state: word(states, 'Whether it is in use.'),
  kind: word(kinds, 'What it is.'),
  client_id: text('appId of the application it belongs to.'),
  hint,
  expires_at: ends,
  verified_at: verified,
  created_at: time('When it was added.'),
  activated_at: nullable(time('When it was taken into use last.'))
}, { $id: 'ProviderCredential', description: 'A credential of the broker at a provider, without what is secret.', examples: [exampleCredential] })

export const CredentialList = Type.Object({ data: Type.Array(ref(CredentialView), { description: 'Oldest first.' }) },
  { $id: 'ProviderCredentialList', description: 'The credentials of a provider that are not removed.', examples: [{ data: [exampleCredential] }] })

const checks = namesOf<'token' | 'expiry' | 'permission' | 'principal' | 'secret' | 'cleanup'>({
  token: true, expiry: true, permission: true, principal: true, secret: true, cleanup: true
})
const outcomes = namesOf<'passed' | 'failed' | 'warning'>({ passed: true, failed: true, warning: true })

export const VerificationView = Type.Object({
  ok: Type.Boolean({ description: 'Nothing has failed.' }),
  findings: Type.Array(Type.Object({
    check: word(checks, 'What was tried.'), outcome: word(outcomes, 'How it went.'), detail: text('In words: what is wrong, and what to do about it.')
  }))
}, {
  $id: 'ProviderVerification',
  description: 'What the verification has found.',
  examples: [
    {
      ok: true,
      findings: [
        { check: 'token', outcome: 'passed', detail: 'Entra ID accepts the credential.' },
        { check: 'expiry', outcome: 'passed', detail: 'The credential expires on 2027-05-24.' },
        { check: 'permission', outcome: 'passed', detail: 'The broker may create applications.' },
        { check: 'principal', outcome: 'passed', detail: 'The broker may create service principals.' },
        { check: 'secret', outcome: 'passed', detail: 'The tenant allows secrets that last 730 days.' },
        { check: 'cleanup', outcome: 'passed', detail: 'The test application is gone.' }
      ]
    },
    {
      ok: false,
      findings: [{
        check: 'token',
        outcome: 'failed',
        detail: `The secret is wrong: application ${example.brokerClientId} has no such secret. Its value is needed, not its id.`
      }]
    }
  ]
})

/** Components of the document, referred to by name. */
export const providerComponents: TSchema[] = [
  NewProvider, ProviderChange, ProviderView, ProviderList, NewCredential, CredentialView, CredentialList, VerificationView
]

export type NewProviderBody = Static<typeof NewProvider>
export type ProviderChangeBody = Static<typeof ProviderChange>
export type NewCredentialBody = Static<typeof NewCredential>
export type ProviderBody = Static<typeof ProviderView>
export type CredentialBody = Static<typeof CredentialView>
