// Use case: a new client from Konnect. A repeat within the window gets the same answer.
import { workDeadline, type Call } from './access.ts'
import type { Core } from './core.ts'
import { RegistrationError } from './errors.ts'
import { makeClient } from './make-client.ts'
import { type RegisteredClient } from './registered-client.ts'
import type { ClientMetadata, KonnectContext, NewRegistration, Surface } from './registration.ts'
import { acceptName, acceptText } from './metadata/client-name.ts'
import { acceptRedirectUris } from './metadata/redirect-uris.ts'
import { translate } from './translation.ts'

export interface RegisterClient {
  surface: Surface
  metadata: ClientMetadata
  konnect: KonnectContext | null
  verification: boolean
  /** Digest of the request, by which a repeat is recognised; null: never. */
  fingerprint: string | null
}

/** @throws RegistrationError; UnansweredError around one when a registration was left behind that goes on */
export async function registerClient (core: Core, command: RegisterClient, call: Call): Promise<RegisteredClient> {
  const deadline = workDeadline(core, call)
  return (await makeClient(core, prepare(core, command, call), call, deadline)).client
}

function prepare (core: Core, command: RegisterClient, call: Call): NewRegistration {
  const { ports } = core
  const providerId = providerOf(call)
  const metadata = {
    ...command.metadata,
    clientName: acceptName('client_name', command.metadata.clientName),
    description: command.metadata.description === null ? null : acceptText('description', command.metadata.description),
    redirectUris: acceptRedirectUris(command.metadata.redirectUris)
  }
  const id = ports.clock.uuid()
  const strategy = strategyFor(core, providerId, command.konnect, id)
  return {
    ...command,
    id,
    metadata,
    providerId,
    strategyId: strategy.id,
    callerId: call.caller.id,
    policyId: null,
    projection: translate(metadata, strategy, { registrationId: id, installationId: ports.catalogue.installationId() }, {
      rules: null, scopes: ports.catalogue.scopes(providerId)
    }),
    managementDigest: null,
    sharingKey: null,
    quota: { perCaller: null, perPolicy: null },
    credentialId: ports.clock.uuid(),
    createdAt: ports.clock.now()
  }
}

/** The tenant a caller registers in. @throws RegistrationError invalid_request */
export function providerOf ({ caller: { providerId } }: Call): string {
  if (providerId === null) throw new RegistrationError('invalid_request', 'The caller is not bound to a provider.')
  return providerId
}

// Konnect's id within the key's provider, else the provider's default strategy, which always exists.
function strategyFor (core: Core, providerId: string, konnect: KonnectContext | null, registrationId: string) {
  const { catalogue, log } = core.ports
  const wanted = konnect?.authStrategyId ?? null
  if (wanted === null) return catalogue.defaultStrategy(providerId)
  const known = catalogue.strategyOfKonnect(providerId, wanted)
  if (known !== null) return known
  log.warn({ registrationId, providerId, konnectAuthStrategyId: wanted }, 'Unknown Konnect auth strategy: the provider\'s default is used')
  return catalogue.defaultStrategy(providerId)
}
