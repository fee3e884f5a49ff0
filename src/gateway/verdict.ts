// What is said of a client that shows a credential.
import type { Claims, GatewayClient, GatewayStrategy } from './port.ts'

export type Refusal =
  | 'nothing_shown'
  | 'malformed'
  | 'unknown_client'
  | 'wrong_secret'
  /** The same, beyond the allowance of the client's failures. */
  | 'too_many_wrong_secrets'
  | 'client_not_active'
  | 'method_not_allowed'
  | 'invalid_token'
  | 'unregistered_product'

export interface Accepted {
  client: GatewayClient
  strategy: GatewayStrategy
  /** Null: a secret was shown. */
  token: Claims | null
}

export type Verdict =
  | { accepted: Accepted, refusal: null }
  | { accepted: null, refusal: Refusal }

export const refused = (refusal: Refusal): Verdict => ({ accepted: null, refusal })

export const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
