// How a client proves itself to Entra's token endpoint.
import type { PolicyRules } from '../policy.ts'
import { listed, quoted, refusal } from './refusals.ts'

/** Entra: one secret serves basic and post; it has neither client_secret_jwt nor mutual TLS. The first accepted one is the default. */
const SUPPORTED = ['client_secret_basic', 'client_secret_post', 'none', 'private_key_jwt']

/** What a policy leaves of what Entra can do. */
export function acceptedAuthMethods (rules: PolicyRules): string[] {
  return SUPPORTED.filter(method => rules.tokenEndpointAuthMethods?.includes(method) ?? true)
}

/** @throws RegistrationError invalid_client_metadata */
export function acceptAuthMethod (requested: string | null, rules: PolicyRules): string {
  const accepted = acceptedAuthMethods(rules)
  // RFC 7591 §2: client_secret_basic is the default; §3.2.1: where the policy forbids it, another one takes its place and is told.
  const method = requested ?? accepted[0]
  if (method !== undefined && accepted.includes(method)) return method
  throw refusal(`token_endpoint_auth_method ${method === undefined ? '' : `${quoted(method)} `}can't be registered. Accepted are ${listed(accepted)}.`)
}
