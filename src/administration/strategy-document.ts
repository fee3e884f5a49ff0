// A strategy as it is written and shown, over the API and in files of the CLI: Konnect's form plus the broker's own members.
import Type, { type Static } from 'typebox'
import type { Json } from '../registration/registration.ts'
import { readIssuer } from './entra-issuer.ts'
import { changedLabels, LabelChanges, Labels } from './labels.ts'
import type { Strategy, StrategyContent } from './strategies-port.ts'

const text = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000-\\u001f\\u007f]+$', description })
const textOrNull = (maxLength: number, description: string) => Type.Optional(Type.Unsafe<string | null>({ ...text(maxLength, description), type: ['string', 'null'] }))
const texts = (maxLength: number, maxItems: number, description: string) => Type.Array(text(maxLength, ''), { maxItems, uniqueItems: true, description })
const uuidOrNull = (description: string) => Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'uuid', description }))

// AAS: AppAuthStrategyConfigOpenIDConnect; the bounds are Konnect's.
const config = {
  issuer: text(256, 'https://sts.windows.net/<tenant>/ for v1 tokens, https://login.microsoftonline.com/<tenant>/v2.0 for v2 tokens.'),
  credential_claim: texts(128, 10, 'The claim with the client\'s id: ["appid"] in v1 tokens, ["azp"] in v2 tokens. Several values are a path into a nested claim.'),
  scopes: texts(128, 50, 'With client_credentials and v2: exactly one, <resource>/.default.'),
  auth_methods: texts(64, 10, 'client_credentials, bearer, session, …')
}
const openConfig = { additionalProperties: true, maxProperties: 100, description: 'Beside these any member of Kong\'s openid-connect plugin, but no secret.' }

const decided = {
  name: text(256, 'Unique within the provider.'),
  display_name: textOrNull(256, 'Shown to developers by Konnect.'),
  strategy_type: Type.Unsafe<'openid_connect'>({ type: 'string', enum: ['openid_connect'], description: 'key_auth has no clients in Entra: make it in Konnect.' }),
  configs: Type.Object({ 'openid-connect': Type.Object(config, openConfig) }, { additionalProperties: false }),
  dcr_provider_id: uuidOrNull('The broker\'s DCR provider, that is the tenant. Default: the operator\'s, or the one called default. A strategy stays with its provider.'),
  labels: Type.Optional(Labels),
  konnect_auth_strategy_id: textOrNull(255, 'Id of the strategy in Konnect: registrations that name it are translated by this one.'),
  resource_app_id: uuidOrNull('appId of the API whose tokens the clients ask for.'),
  audience: textOrNull(255, 'aud of the tokens: the App ID URI with v1, the appId with v2.'),
  token_version: Type.Optional(Type.Unsafe<1 | 2>({ type: 'integer', enum: [1, 2], description: 'Version of the tokens that a client gets for itself. Default: the issuer\'s.' })),
  check_secrets_at_entra: Type.Optional(Type.Boolean({ description: 'Gateways that ask the broker have each secret checked at Entra, beside what the broker knows of it. Default: false.' })),
  is_default: Type.Optional(Type.Boolean({ description: 'For registrations that name no strategy, or one that is not known. Takes the place of the default before.' }))
}

export const StrategyBody = Type.Object(decided, { additionalProperties: false })
export type StrategyDocument = Static<typeof StrategyBody>

export const StrategyChangeBody = Type.Object({
  ...Type.Partial(Type.Object(decided)).properties,
  configs: Type.Optional(Type.Object({
    'openid-connect': Type.Optional(Type.Object(Type.Partial(Type.Object(config)).properties, {
      ...openConfig, description: 'What is left out stays; null takes a member of the plugin away.'
    }))
  }, { additionalProperties: false })),
  labels: Type.Optional(LabelChanges)
}, { additionalProperties: false })
export type StrategyChangeDocument = Static<typeof StrategyChangeBody>

/** @param isDefault when the document does not say */
export function contentOf (document: StrategyDocument, isDefault = false): StrategyContent {
  const { issuer, credential_claim: credentialClaim, scopes, auth_methods: authMethods, ...extra } = document.configs['openid-connect']
  return {
    name: document.name,
    displayName: document.display_name ?? null,
    issuer,
    credentialClaim,
    scopes,
    authMethods,
    extraConfig: withoutNulls(extra),
    konnectAuthStrategyId: document.konnect_auth_strategy_id ?? null,
    resourceAppId: document.resource_app_id?.toLowerCase() ?? null,
    audience: document.audience ?? null,
    tokenVersion: document.token_version ?? readIssuer(issuer)?.version ?? 1,
    checkSecretsAtEntra: document.check_secrets_at_entra ?? false,
    isDefault: document.is_default ?? isDefault,
    labels: document.labels ?? {}
  }
}

/** What is left out stays. */
export function changedContent (current: StrategyContent, change: StrategyChangeDocument): StrategyContent {
  const { issuer, credential_claim: credentialClaim, scopes, auth_methods: authMethods, ...extra } = change.configs?.['openid-connect'] ?? {}
  return {
    name: change.name ?? current.name,
    displayName: orCurrent(change.display_name, current.displayName),
    issuer: issuer ?? current.issuer,
    credentialClaim: credentialClaim ?? current.credentialClaim,
    scopes: scopes ?? current.scopes,
    authMethods: authMethods ?? current.authMethods,
    extraConfig: withoutNulls({ ...current.extraConfig, ...extra }),
    konnectAuthStrategyId: orCurrent(change.konnect_auth_strategy_id, current.konnectAuthStrategyId),
    resourceAppId: orCurrent(change.resource_app_id?.toLowerCase() ?? change.resource_app_id, current.resourceAppId),
    audience: orCurrent(change.audience, current.audience),
    tokenVersion: change.token_version ?? current.tokenVersion,
    checkSecretsAtEntra: change.check_secrets_at_entra ?? current.checkSecretsAtEntra,
    isDefault: change.is_default ?? current.isDefault,
    labels: changedLabels(current.labels, change.labels ?? {})
  }
}

/** @param warnings sentences about what is doubtful in it */
export function documentOfStrategy (strategy: Strategy, warnings: readonly string[]) {
  const { provider } = strategy
  return {
    id: strategy.id,
    name: strategy.name,
    display_name: strategy.displayName,
    strategy_type: 'openid_connect' as const,
    configs: {
      'openid-connect': {
        ...strategy.extraConfig,
        issuer: strategy.issuer,
        credential_claim: strategy.credentialClaim,
        scopes: strategy.scopes,
        auth_methods: strategy.authMethods
      }
    },
    active: strategy.registrations > 0,
    dcr_provider_id: provider.id,
    dcr_provider: { id: provider.id, name: provider.name, display_name: provider.displayName, provider_type: provider.providerType },
    labels: strategy.labels,
    konnect_auth_strategy_id: strategy.konnectAuthStrategyId,
    resource_app_id: strategy.resourceAppId,
    audience: strategy.audience,
    token_version: strategy.tokenVersion,
    check_secrets_at_entra: strategy.checkSecretsAtEntra,
    is_default: strategy.isDefault,
    origin: strategy.origin,
    warnings: [...warnings],
    created_at: strategy.createdAt.toISOString(),
    updated_at: strategy.updatedAt.toISOString()
  }
}

function orCurrent<T> (given: T | undefined, current: T): T {
  return given === undefined ? current : given
}

function withoutNulls (extra: Record<string, unknown>): Record<string, Json> {
  return Object.fromEntries(Object.entries(extra).filter(([, value]) => value !== null)) as Record<string, Json>
}
