// Whether a secret is one of a registered client, decided by the verifiers of its active credentials: no call to Entra, and a secret that was
// revoked here is refused at once. Only what the broker has never seen (secrets of an adopted application), and what a strategy wants to have
// checked there, goes to Entra.
import type { Clock, Vault } from '../registration/ports.ts'
import type { Demand, JudgeClient } from './client-judge.ts'
import type { EntraSecrets } from './entra-secrets.ts'
import type { GatewayCatalogue, GatewayClient, GatewaySecret, GatewayStrategy } from './port.ts'
import { GUID, refused, type Verdict } from './verdict.ts'

/** Entra's have 40 characters. */
const LONGEST_SECRET = 512

export interface SecretJudgeParts {
  catalogue: Pick<GatewayCatalogue, 'gatewayStrategy'>
  judgeClient: JudgeClient
  vault: Pick<Vault, 'isSecretOf'>
  entra: EntraSecrets
  clock: Pick<Clock, 'now'>
}

/** Throws StoreUnavailableError, and DirectoryError when Entra has to be asked and does not answer. */
export type JudgeSecret = (clientId: string, secret: string, demand: Demand) => Promise<Verdict>

export function createSecretJudge ({ catalogue, judgeClient, vault, entra, clock }: SecretJudgeParts): JudgeSecret {
  async function isSecretOf (client: GatewayClient, strategy: GatewayStrategy, secret: string, said: Map<string, boolean>): Promise<boolean> {
    // Undefined: the broker has never seen it.
    const known = client.secrets.find(({ verifier }) => vault.isSecretOf(client.clientId, secret, verifier))
    // What was revoked here is refused, however long Entra still takes it.
    if (known === undefined ? !client.isAdopted : !isValid(known)) return false
    if (known !== undefined && !strategy.checkSecretsAtEntra) return true
    const answer = said.get(client.registrationId) ?? await entra.accepts(client, secret)
    said.set(client.registrationId, answer)
    return answer
  }

  const isValid = ({ isActive, expiresAt }: GatewaySecret): boolean =>
    isActive && (expiresAt === null || expiresAt.getTime() > clock.now().getTime())

  return async (clientId, secret, demand) => {
    if (!GUID.test(clientId) || secret === '' || secret.length > LONGEST_SECRET) return refused('unknown_client')
    // By registration: one that is looked at again is not asked about again.
    const said = new Map<string, boolean>()
    return await judgeClient(clientId.toLowerCase(), demand, async client => {
      const strategy = catalogue.gatewayStrategy(client.strategyId)
      if (strategy === null) return 'client_not_active'
      if (!strategy.authMethods.includes('client_credentials')) return 'method_not_allowed'
      return await isSecretOf(client, strategy, secret, said) ? { client, strategy, token: null } : 'wrong_secret'
    })
  }
}
