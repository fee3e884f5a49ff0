// The gateway listener over its adapters. Part of the composition root.
import type { FastifyInstance } from 'fastify'
import { closeServer } from './close-server.ts'
import type { EntraDirectories } from './entra/entra-directories.ts'
import type { ServiceTokens } from './entra/service-tokens.ts'
import { createGateway, type Gateway } from './gateway/gateway.ts'
import type { GatewayStore } from './gateway/port.ts'
import { buildGatewayServer, type GatewayServerOptions } from './http/gateway-server.ts'
import type { Observation } from './observation.ts'
import type { Clock, Vault } from './registration/ports.ts'
import type { Recognition } from './recognition.ts'
import type { CompleteSettings } from './settings/complete-settings.ts'
import type { StoredCatalogue } from './store/catalogue.ts'

export interface GatewayListenerParts extends Pick<GatewayServerOptions, 'transport' | 'authentication' | 'version'> {
  settings: Pick<CompleteSettings, 'gatewayListener' | 'limits'>
  store: GatewayStore
  catalogue: StoredCatalogue
  directories: Pick<EntraDirectories, 'of'>
  serviceTokens: ServiceTokens
  vault: Vault
  clock: Clock
  log: GatewayServerOptions['logger']
  recognition: Pick<Recognition, 'caller'>
  observation: Pick<Observation, 'metrics' | 'requests'>
}

export interface AssembledGateway {
  server: FastifyInstance
  uses: Gateway['uses']
  /** Ends requests at hand and writes the last uses. */
  close (): Promise<void>
}

/** Null: no port was given for it. */
export async function assembleGateway (parts: GatewayListenerParts): Promise<AssembledGateway | null> {
  const { settings: { gatewayListener: listener, limits: { attemptTimeoutMs } }, store, catalogue, directories, serviceTokens, vault, clock, log } = parts
  if (listener === null) return null
  const { observation, recognition, version } = parts
  const { transport, authentication } = parts
  const count = observation.metrics.counter('dcr_gateway_verdicts_total', 'What gateways were told of clients, by what was shown and what came of it.', ['credential', 'outcome'])
  const gateway = createGateway({
    store,
    catalogue,
    tokens: serviceTokens,
    probe: async (providerId, clientId, secret) => await directories.of(providerId).probeSecret(clientId, secret, AbortSignal.timeout(attemptTimeoutMs)),
    vault,
    clock,
    log,
    failuresPerMinute: listener.failuresPerMinute,
    onVerdict: (credential, outcome) => { count({ credential, outcome }) }
  })
  const server = await buildGatewayServer({
    logger: log,
    gateway,
    recogniseCaller: recognition.caller,
    providers: catalogue,
    verifyNeedsKey: listener.needsKey,
    version,
    observer: observation.requests,
    ...(transport !== undefined && { transport }),
    ...(authentication !== undefined && { authentication })
  })
  return {
    server,
    uses: gateway.uses,
    async close () {
      await closeServer(server)
      await gateway.uses.flush().catch((error: unknown) => log.debug({ err: error }, 'Last uses could not be written'))
    }
  }
}
