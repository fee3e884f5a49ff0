// The metadata of an authorization server (RFC 8414, OpenID Connect Discovery): Entra's endpoints and keys with our registration endpoint.
import { Type } from 'typebox'

/** A tenant's endpoints. */
export interface EntraEndpoints {
  authorizationEndpoint: string
  tokenEndpoint: string
  jwksUri: string
  deviceAuthorizationEndpoint: string
  endSessionEndpoint: string
  userinfoEndpoint: string
}

/** What a provider publishes. */
export interface AuthorizationServer {
  /** The exact string, without a slash at the end (http/register/issuer.ts). */
  issuer: string
  endpoints: EntraEndpoints
  /** What clients may ask for. */
  scopes: string[]
  /** What can be registered here without a policy of one's own. */
  grantTypes: string[]
  authMethods: string[]
}

/** `oauth`: RFC 8414. `openid`: OpenID Connect Discovery, which has a few members more. */
export type MetadataForm = 'oauth' | 'openid'

/** @param registers whether anybody can register */
export function metadataOf (server: AuthorizationServer, form: MetadataForm, registers: boolean): Record<string, string | string[]> {
  const { issuer, endpoints, scopes, grantTypes, authMethods } = server
  return {
    issuer,
    authorization_endpoint: endpoints.authorizationEndpoint,
    token_endpoint: endpoints.tokenEndpoint,
    jwks_uri: endpoints.jwksUri,
    ...(registers && { registration_endpoint: `${issuer}/register` }),
    device_authorization_endpoint: endpoints.deviceAuthorizationEndpoint,
    // RFC 8414 §2: lists without elements are left out.
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'fragment', 'form_post'],
    // Stated, because the default is another one: implicit among the grants, client_secret_basic alone among the methods.
    grant_types_supported: grantTypes,
    token_endpoint_auth_methods_supported: authMethods,
    token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256'],
    // Entra does not say it, and clients that must have PKCE go by it.
    code_challenge_methods_supported: ['S256'],
    // Never authorization_response_iss_parameter_supported (RFC 9207): Entra's answers carry Entra's issuer, if any.
    ...(form === 'openid' && {
      userinfo_endpoint: endpoints.userinfoEndpoint,
      end_session_endpoint: endpoints.endSessionEndpoint,
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
      claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nbf', 'auth_time', 'acr', 'nonce', 'preferred_username', 'name', 'tid', 'oid', 'ver', 'at_hash', 'c_hash', 'email']
    })
  }
}

const link = (description: string) => Type.String({ format: 'uri', description })
const texts = (description: string) => Type.Array(Type.String(), { description })

const exampleTenant = 'https://login.microsoftonline.com/3f1f3f0c-52b4-4c6e-9f0a-6a2f0d6f1b11'

/** The schema is for the document of the API; `metadataOf` writes the answers. */
export const AuthorizationServerMetadata = Type.Object({
  issuer: link('The broker\'s name for this provider. ID tokens carry Entra\'s own issuer.'),
  authorization_endpoint: link('Entra\'s.'),
  token_endpoint: link('Entra\'s.'),
  jwks_uri: link('Entra\'s.'),
  registration_endpoint: Type.Optional(link('The broker\'s; absent when nobody can register.')),
  device_authorization_endpoint: link('Entra\'s.'),
  scopes_supported: Type.Optional(texts('The identity scopes and those of the scope catalogue.')),
  response_types_supported: texts('code'),
  response_modes_supported: texts('How Entra sends the code.'),
  grant_types_supported: texts('What can be registered; the policy of a token may allow less or more.'),
  token_endpoint_auth_methods_supported: texts('What can be registered; the policy of a token may allow less or more.'),
  token_endpoint_auth_signing_alg_values_supported: texts('Of assertions for private_key_jwt.'),
  code_challenge_methods_supported: texts('PKCE.'),
  userinfo_endpoint: Type.Optional(link('Entra\'s; in the OpenID form.')),
  end_session_endpoint: Type.Optional(link('Entra\'s; in the OpenID form.')),
  subject_types_supported: Type.Optional(texts('In the OpenID form.')),
  id_token_signing_alg_values_supported: Type.Optional(texts('In the OpenID form.')),
  claims_supported: Type.Optional(texts('In the OpenID form.'))
}, {
  $id: 'AuthorizationServerMetadata',
  title: 'Authorization server metadata',
  description: 'RFC 8414 §2 and OpenID Connect Discovery §3.',
  examples: [metadataOf({
    issuer: 'https://dcr.example.com',
    endpoints: {
      authorizationEndpoint: `${exampleTenant}/oauth2/v2.0/authorize`,
      tokenEndpoint: `${exampleTenant}/oauth2/v2.0/token`,
      jwksUri: `${exampleTenant}/discovery/v2.0/keys`,
      deviceAuthorizationEndpoint: `${exampleTenant}/oauth2/v2.0/devicecode`,
      endSessionEndpoint: `${exampleTenant}/oauth2/v2.0/logout`,
      userinfoEndpoint: 'https://graph.microsoft.com/oidc/userinfo'
    },
    scopes: ['openid', 'profile', 'offline_access'],
    grantTypes: ['authorization_code', 'refresh_token'],
    authMethods: ['none', 'client_secret_basic', 'client_secret_post']
  }, 'oauth', true)]
})
