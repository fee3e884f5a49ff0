// Clients are judged by what is kept of them; and who would be refused, by what the database knows now: what was made, switched on or linked a
// moment ago counts at once, whoever else is refused meanwhile.
import type { Clock } from '../registration/ports.ts'
import type { FailedClients } from './failed-clients.ts'
import type { KnownClients } from './known-clients.ts'
import type { GatewayClient } from './port.ts'
import { refused, type Accepted, type Refusal, type Verdict } from './verdict.ts'

/** What must be true of a client beside its credential. */
export interface Demand {
  /** The only provider whose clients count; null: each. */
  providerId: string | null
  /** All of these must be linked with the client. */
  products: readonly string[]
}

/** Null: the token is not one of this registration. */
export type JudgeRegistration = (client: GatewayClient) => Promise<Accepted | Refusal | null>

/** @param clientId in lower case. Throws StoreUnavailableError, and what `judge` throws */
export type JudgeClient = (clientId: string, demand: Demand, judge: JudgeRegistration) => Promise<Verdict>

export interface ClientJudgeParts {
  clients: KnownClients
  failures: Pick<FailedClients, 'count'>
  clock: Pick<Clock, 'monotonicMs'>
}

export function createClientJudge ({ clients, failures, clock }: ClientJudgeParts): JudgeClient {
  return async (clientId, demand, judge) => {
    const askedAtMs = clock.monotonicMs()
    const known = await clients.find(clientId)
    const verdict = await verdictOn(known.registrations, demand, judge)
    if (verdict.accepted !== null || known.registrations.length === 0) return verdict
    // Whoever asks at the same time shares the statement, and a flood the pace of all look-ups that anybody can cause.
    const last = known.readAtMs < askedAtMs ? await verdictOn((await clients.findNow(clientId)).registrations, demand, judge) : verdict
    if (last.accepted !== null || failures.count(clientId)) return last
    return last.refusal === 'wrong_secret' ? refused('too_many_wrong_secrets') : last
  }
}

/** Providers may share a tenant: whoever's client it is accepts it. */
async function verdictOn (registrations: readonly GatewayClient[], { providerId, products }: Demand, judge: JudgeRegistration): Promise<Verdict> {
  let refusal: Refusal = 'unknown_client'
  for (const client of registrations) {
    if (providerId !== null && client.providerId !== providerId) continue
    const said = client.isActive ? await judge(client) : 'client_not_active'
    if (said === null) refusal = refusal === 'unknown_client' ? 'invalid_token' : refusal
    else if (typeof said === 'string') refusal = said
    else if (products.every(product => client.products.includes(product))) return { accepted: said, refusal: null }
    else refusal = 'unregistered_product'
  }
  return refused(refusal)
}
