// What gateways ask: is this a client of ours, now?
import type { Clock, Log, Vault } from '../registration/ports.ts'
import { createClientJudge, type Demand } from './client-judge.ts'
import { createEntraSecrets, type EntraSecretsParts } from './entra-secrets.ts'
import { createFailedClients } from './failed-clients.ts'
import { createKnownClients } from './known-clients.ts'
import type { ClientTokens, GatewayCatalogue, GatewayStore } from './port.ts'
import { createSecretJudge } from './secrets.ts'
import { createTokenJudge } from './tokens.ts'
import { createUses, type Uses } from './uses.ts'
import { refused, type Accepted, type Verdict } from './verdict.ts'

export interface SecretReading {
  clientId: string
  secret: string
}

/** What a client shows of itself. */
export type ShownCredential =
  | { kind: 'nothing_shown' }
  | { kind: 'malformed' }
  | { kind: 'token', token: string }
  /** In the order in which they are tried. */
  | { kind: 'secret', readings: readonly SecretReading[] }

export interface Question extends Demand {
  shown: ShownCredential
}

export interface Gateway {
  /**
   * Whether the client of a request may go on, by the token or the secret that it shows.
   * Throws StoreUnavailableError, and DirectoryError when Entra has to be asked and does not answer.
   */
  verify (question: Question): Promise<Verdict>
  /** The client behind a token (RFC 7662); null: it is not active. @param providerId the only one that counts; null: each. Throws as `verify`. */
  introspect (token: string, providerId: string | null): Promise<Accepted | null>
  uses: Pick<Uses, 'flush'>
}

export interface GatewayParts {
  store: GatewayStore
  catalogue: GatewayCatalogue
  tokens: ClientTokens
  probe: EntraSecretsParts['probe']
  vault: Pick<Vault, 'isSecretOf' | 'verifierOf' | 'digestOf'>
  clock: Clock
  log: Log
  /** Wrong secrets of one client that are looked at one by one. */
  failuresPerMinute: number
  /** Told of every verdict. */
  onVerdict? (kind: 'secret' | 'token' | 'introspection' | 'none', outcome: string): void
}

export function createGateway ({ store, catalogue, tokens, probe, vault, clock, log, failuresPerMinute, onVerdict = () => {} }: GatewayParts): Gateway {
  const clients = createKnownClients(store, clock)
  const failures = createFailedClients({
    perMinute: failuresPerMinute,
    monotonicMs: clock.monotonicMs,
    onExceeded: clientId => log.warn({ clientId, failuresPerMinute }, 'A client is refused too often: further refusals of it are not looked at one by one for the rest of the minute')
  })
  const entra = createEntraSecrets({ probe, vault, failures, clock })
  const judgeClient = createClientJudge({ clients, failures, clock })
  const judgeSecret = createSecretJudge({ catalogue, judgeClient, vault, entra, clock })
  const judgeToken = createTokenJudge({ tokens, catalogue, judgeClient, digestOf: vault.digestOf, clock })
  const uses = createUses(store, clock, log)

  async function judge ({ shown, ...demand }: Question): Promise<{ kind: 'secret' | 'token' | 'none', verdict: Verdict }> {
    if (shown.kind === 'token') return { kind: 'token', verdict: await judgeToken(shown.token, demand) }
    if (shown.kind !== 'secret') return { kind: 'none', verdict: refused(shown.kind) }
    let verdict = refused('malformed')
    for (const { clientId, secret } of shown.readings) {
      verdict = await judgeSecret(clientId, secret, demand)
      if (verdict.accepted !== null) break
    }
    return { kind: 'secret', verdict }
  }

  return {
    async verify (question) {
      const { kind, verdict } = await judge(question)
      onVerdict(kind, verdict.refusal ?? 'accepted')
      if (verdict.accepted !== null) uses.note(verdict.accepted.client.registrationId)
      return verdict
    },
    async introspect (token, providerId) {
      const { accepted } = await judgeToken(token, { providerId, products: [] })
      onVerdict('introspection', accepted === null ? 'inactive' : 'accepted')
      if (accepted === null) return null
      uses.note(accepted.client.registrationId)
      return accepted
    },
    uses
  }
}
