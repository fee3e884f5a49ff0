// Whether a bearer token is one of a registered client. Signature, issuer, tenant and times are the adapter's; audience, version and the claim with
// the client's id are a strategy's; and the registration is looked at as it stands now, whatever Entra still accepts.
import type { Clock } from '../registration/ports.ts'
import type { Demand, JudgeClient } from './client-judge.ts'
import type { Claims, ClientTokens, GatewayCatalogue, GatewayStrategy } from './port.ts'
import { createProvenTokens, type ProvenToken } from './proven-tokens.ts'
import { GUID, refused, type Verdict } from './verdict.ts'

export interface TokenJudgeParts {
  tokens: ClientTokens
  catalogue: GatewayCatalogue
  judgeClient: JudgeClient
  digestOf: (token: string) => Uint8Array
  clock: Pick<Clock, 'now' | 'monotonicMs'>
}

/** Throws DirectoryError `unavailable` when a tenant's keys can't be had, StoreUnavailableError. */
export type JudgeToken = (token: string, demand: Demand) => Promise<Verdict>

export function createTokenJudge ({ tokens, catalogue, judgeClient, digestOf, clock }: TokenJudgeParts): JudgeToken {
  const proven = createProvenTokens(clock)

  async function prove (token: string, digest: string): Promise<ProvenToken> {
    const found: Array<ProvenToken[number]> = []
    let fault: unknown = null
    for (const providerId of tokens.providersOf(token)) {
      const audiences = [...new Set(catalogue.gatewayStrategies(providerId).flatMap(strategy => strategy.audiences))]
      try {
        const claims = audiences.length === 0 ? null : await tokens.claimsOf(providerId, token, audiences)
        if (claims !== null) found.push({ providerId, claims })
      } catch (error) {
        // Another provider of the tenant may have the keys.
        fault = error
      }
    }
    if (found.length === 0 && fault !== null) throw fault
    // What is nobody's costs a look each time: it would push out what is somebody's.
    if (found.length > 0 && fault === null) proven.keep(digest, found)
    return found
  }

  async function judgeAt ({ providerId, claims }: ProvenToken[number], demand: Demand): Promise<Verdict> {
    let refusal: Verdict = refused('invalid_token')
    const strategies = catalogue.gatewayStrategies(providerId)
    for (const clientId of new Set(strategies.map(strategy => clientIn(claims, strategy)))) {
      if (clientId === null) continue
      const verdict = await judgeClient(clientId, { ...demand, providerId }, async client => {
        const strategy = catalogue.gatewayStrategy(client.strategyId)
        // Another strategy may find another client in the same token.
        if (strategy === null || clientIn(claims, strategy) !== clientId) return null
        return strategy.authMethods.includes('bearer') ? { client, strategy, token: claims } : 'method_not_allowed'
      })
      if (verdict.accepted !== null) return verdict
      refusal = verdict
    }
    return refusal
  }

  async function judge (proof: ProvenToken, demand: Demand): Promise<Verdict> {
    let refusal: Verdict = refused('invalid_token')
    for (const found of proof) {
      if (demand.providerId !== null && demand.providerId !== found.providerId) continue
      const verdict = await judgeAt(found, demand)
      if (verdict.accepted !== null) return verdict
      refusal = verdict
    }
    return refusal
  }

  return async (token, demand) => {
    const digest = Buffer.from(digestOf(token)).toString('base64')
    const known = proven.find(digest)
    const verdict = known === undefined ? null : await judge(known, demand)
    if (verdict !== null && verdict.refusal !== 'invalid_token' && verdict.refusal !== 'unknown_client') return verdict
    // Also what was proved before: a provider or an audience may be new since.
    const proof = await prove(token, digest).catch((error: unknown) => {
      if (verdict === null) throw error
      return null
    })
    return proof === null ? verdict ?? refused('invalid_token') : await judge(proof, demand)
  }
}

/** The client's id, when the token is one that this strategy takes. */
function clientIn (claims: Claims, { audiences, issuerVersion, credentialClaim }: GatewayStrategy): string | null {
  if (typeof claims['aud'] !== 'string' || !audiences.includes(claims['aud'])) return null
  if (issuerVersion !== null && issuerVersion !== (claims['ver'] === '2.0' ? 2 : 1)) return null
  let value: unknown = claims
  for (const name of credentialClaim) value = typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
  return typeof value === 'string' && GUID.test(value) ? value.toLowerCase() : null
}
