// The JSON of a strategy for Konnect's own POST /v2/application-auth-strategies: what Konnect accepts and nothing of ours. What the strategy
// knows about its audience is said in the words of Kong's openid-connect plugin.
import type { Json } from '../registration/registration.ts'
import { readIssuer } from './entra-issuer.ts'
import type { StrategyContent } from './strategies-port.ts'

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

type Content = Omit<StrategyContent, 'isDefault' | 'konnectAuthStrategyId'>
type Versioned = Pick<Content, 'issuer' | 'tokenVersion'>

export interface KonnectStrategy {
  name: string
  display_name: string
  strategy_type: 'openid_connect'
  configs: { 'openid-connect': { issuer: string, credential_claim: string[], scopes: string[], auth_methods: string[], [member: string]: Json } }
  dcr_provider_id?: string
  labels?: Record<string, string>
}

/** @param dcrProviderId Konnect's id of the DCR provider that stands for the broker; without it the member is left out */
export function konnectStrategyOf (content: Content, dcrProviderId: string | null): KonnectStrategy {
  const { name, displayName, issuer, credentialClaim, scopes, authMethods, extraConfig, labels } = content
  return {
    name,
    display_name: displayName ?? name,
    strategy_type: 'openid_connect',
    configs: {
      'openid-connect': {
        ...audienceMembers(content),
        ...extraConfig,
        issuer,
        credential_claim: credentialClaim,
        scopes,
        auth_methods: authMethods
      }
    },
    ...(dcrProviderId !== null && { dcr_provider_id: dcrProviderId }),
    ...(Object.keys(labels).length > 0 && { labels })
  }
}

/** Kong's plugin gets tokens for the client with the credentials that the client shows. */
export function isClientCredentials ({ authMethods }: Pick<Content, 'authMethods'>): boolean {
  return authMethods.includes('client_credentials')
}

/** The `resource` that the plugin adds to its token request; null: none. */
export function resourceArgumentOf (content: Content): string | null {
  const { token_post_args_names: names, token_post_args_values: values } = content.extraConfig
  if (Array.isArray(names)) {
    const value = Array.isArray(values) ? values[names.indexOf('resource')] : undefined
    return typeof value === 'string' ? value : null
  }
  return isClientCredentials(content) && versionOf(content) === 1 ? audienceOf(content) : null
}

/** As it is in tokens: Entra writes an appId in small letters, and Kong compares letter for letter. */
export function audienceOf ({ audience }: Pick<Content, 'audience'>): string | null {
  return audience !== null && GUID.test(audience) ? audience.toLowerCase() : audience
}

/** What the plugin demands in `aud`; null: nothing. */
export function audienceRequiredBy (content: Versioned & Pick<Content, 'audience' | 'resourceAppId' | 'extraConfig'>): Json[] | null {
  const { audience_required: given } = content.extraConfig
  if (given !== undefined) return Array.isArray(given) && given.length > 0 ? given : null
  // Entra: aud of a v2 token is the appId of its resource.
  const audience = audienceOf(content) ?? (versionOf(content) === 2 ? content.resourceAppId : null)
  return audience === null ? null : [audience]
}

function audienceMembers (content: Content): Record<string, Json> {
  const required = audienceRequiredBy(content)
  const resource = resourceArgumentOf(content)
  return {
    ...(required !== null && { audience_required: required }),
    ...(resource !== null && content.extraConfig.token_post_args_names === undefined && {
      token_post_args_names: ['resource'], token_post_args_values: [resource]
    })
  }
}

function versionOf ({ issuer, tokenVersion }: Versioned): 1 | 2 {
  return readIssuer(issuer)?.version ?? tokenVersion
}
