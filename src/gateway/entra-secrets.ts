// Secrets that only Entra can judge: exchanged there for a token that nobody keeps. A good one is remembered for a minute, as a digest. However many
// wrong ones come, a client that was let in before goes on: its secret is known by its digest and does not stand in their line.
import { DirectoryError, VaultError, type Clock, type Vault, type Verifier } from '../registration/ports.ts'
import type { FailedClients } from './failed-clients.ts'
import type { GatewayClient } from './port.ts'

/** How long Entra is not asked again. A secret that somebody removes at Entra, and not through the broker, is good for so long. */
const REMEMBERED_MS = 60_000
/** Beyond the allowance of a client's failures: one secret that nobody knows is tried in this time. */
const PACE_MS = 1_000
const MOST_REMEMBERED = 10_000
/** Of one client: Entra allows more, and nobody uses them at once. */
const MOST_OF_CLIENT = 10

export interface EntraSecrets {
  /** Throws DirectoryError when Entra does not say. */
  accepts (client: GatewayClient, secret: string): Promise<boolean>
}

export interface EntraSecretsParts {
  /** One exchange at the token endpoint of the provider's tenant. Throws DirectoryError for every answer that is neither. */
  probe (providerId: string, clientId: string, secret: string): Promise<boolean>
  vault: Pick<Vault, 'verifierOf' | 'isSecretOf'>
  failures: Pick<FailedClients, 'isWithin'>
  clock: Pick<Clock, 'monotonicMs'>
}

interface Good {
  verifier: Verifier
  /** The row as it was: whatever changes about the client, Entra is asked again. */
  client: GatewayClient
  untilMs: number
}

export function createEntraSecrets ({ probe, vault, failures, clock }: EntraSecretsParts): EntraSecrets {
  const remembered = new Map<string, Good[]>()
  const triedAtMs = new Map<string, number>()
  /** Of the last try of a client: until the next one nothing is known of its secrets. */
  const unanswered = new Map<string, DirectoryError>()
  const flights = new Map<string, Promise<boolean>>()

  /** A pepper may have been taken out of the keyring since: nothing in the database needs it any more. */
  function isOf (clientId: string, secret: string, verifier: Verifier): boolean {
    try {
      return vault.isSecretOf(clientId, secret, verifier)
    } catch (error) {
      if (error instanceof VaultError) return false
      throw error
    }
  }

  function goodOf ({ clientId }: GatewayClient, secret: string): Good | undefined {
    return remembered.get(clientId)?.find(({ verifier }) => isOf(clientId, secret, verifier))
  }

  function remember (client: GatewayClient, secret: string): void {
    const { clientId } = client
    const others = (remembered.get(clientId) ?? []).filter(({ verifier }) => !isOf(clientId, secret, verifier))
    const good = { verifier: vault.verifierOf(clientId, secret), client, untilMs: clock.monotonicMs() + REMEMBERED_MS }
    const [longestAgo] = remembered.keys()
    if (longestAgo !== undefined && remembered.size >= MOST_REMEMBERED) remembered.delete(longestAgo)
    remembered.delete(clientId)
    remembered.set(clientId, [good, ...others].slice(0, MOST_OF_CLIENT))
  }

  function forget (clientId: string, good: Good | undefined): void {
    if (good !== undefined) remembered.set(clientId, (remembered.get(clientId) ?? []).filter(each => each !== good))
  }

  /** Whether a secret that nobody knows may be tried now. */
  function isTurnOf (clientId: string): boolean {
    const nowMs = clock.monotonicMs()
    if (!failures.isWithin(clientId) && nowMs - (triedAtMs.get(clientId) ?? -Infinity) < PACE_MS) return false
    if (triedAtMs.size >= MOST_REMEMBERED) {
      triedAtMs.clear()
      unanswered.clear()
    }
    triedAtMs.set(clientId, nowMs)
    unanswered.delete(clientId)
    return true
  }

  async function exchange (client: GatewayClient, secret: string, good: Good | undefined): Promise<boolean> {
    const isGood = await probe(client.providerId, client.clientId, secret).catch((error: unknown) => {
      if (error instanceof DirectoryError && isRefusal(error)) return false
      if (error instanceof DirectoryError) unanswered.set(client.clientId, error)
      throw error
    })
    if (isGood) remember(client, secret)
    else forget(client.clientId, good)
    return isGood
  }

  return {
    async accepts (client, secret) {
      const good = goodOf(client, secret)
      if (good?.client === client && clock.monotonicMs() < good.untilMs) return true
      // Whoever comes with the same secret meanwhile waits for the same answer.
      const name = `${client.clientId} ${Buffer.from(vault.verifierOf(client.clientId, secret).digest).toString('base64')}`
      const underWay = flights.get(name)
      if (underWay === undefined && good === undefined && !isTurnOf(client.clientId)) {
        const failure = unanswered.get(client.clientId)
        if (failure !== undefined) throw failure
        return false
      }
      const flight = underWay ?? exchange(client, secret, good).finally(() => { flights.delete(name) })
      flights.set(name, flight)
      return await flight
    }
  }
}

/** Entra has looked at the secret or at its client and says no. */
function isRefusal ({ fault }: DirectoryError): boolean {
  return fault === 'unauthenticated' || fault === 'denied' || fault === 'missing' || fault === 'rejected' || fault === 'policy'
}
