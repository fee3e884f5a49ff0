// The directories of all providers: each with a token, a Graph client and a connection pool of its own, made when first asked for.
import { DirectoryError, type Directories, type Directory } from '../registration/ports.ts'
import type { EntraCredential } from './broker-credential.ts'
import { createBrokerToken, type BrokerToken, type BrokerTokenHealth } from './broker-token.ts'
import { cloudOf, type Cloud } from './clouds.ts'
import { createEntraDirectory } from './entra-directory.ts'
import { createGraphClient, type GraphObservation } from './graph-client.ts'
import { createHttp, type Http } from './http.ts'
import { requestToken } from './token-request.ts'

export interface EntraProviderSettings {
  providerId: string
  tenantId: string
  clientId: string
  credential: EntraCredential
  /** `https://login.microsoftonline.com` or a national cloud's; http for loopback only. */
  authorityHost: string
  /** With or without `/v1.0`; from the cloud when absent. http for loopback only. */
  graphBaseUrl?: string
  /** Bounds one request for the broker's own token, and one connection attempt. */
  attemptTimeoutMs: number
}

export interface EntraDirectories extends Directories {
  /** What became of the broker's own credential, per provider that has been used. */
  health (): Array<{ providerId: string } & BrokerTokenHealth>
  /** Asks for a token now, so that a wrong credential shows at start. Throws DirectoryError. */
  verify (providerId: string, signal: AbortSignal): Promise<void>
  /** Aborts what is in flight and closes all connections. */
  close (): Promise<void>
}

interface Tenant {
  directory: Directory
  token: BrokerToken
  http: Http
}

/** `observe` sees every Graph attempt: it feeds metrics and logs. A provider that can't be used shows when it is asked for, not here. */
export function createEntraDirectories (
  providers: readonly EntraProviderSettings[],
  options: { observe?: (observation: GraphObservation & { providerId: string }) => void } = {}
): EntraDirectories {
  const settingsById = new Map(providers.map(settings => [settings.providerId, settings]))
  const tenants = new Map<string, Tenant>()

  function tenantOf (providerId: string): Tenant {
    const known = tenants.get(providerId)
    if (known !== undefined) return known
    const settings = settingsById.get(providerId)
    if (settings === undefined) throw unusable(`provider ${providerId} has no usable credential`)
    const tenant = createTenant(settings, options.observe)
    tenants.set(providerId, tenant)
    return tenant
  }

  return {
    of: providerId => tenantOf(providerId).directory,
    health: () => [...tenants].map(([providerId, { token }]) => ({ providerId, ...token.health() })),
    verify: async (providerId, signal) => { await tenantOf(providerId).token.get(signal) },
    close: async () => {
      await Promise.all([...tenants.values()].map(async ({ http }) => await http.close()))
      tenants.clear()
      settingsById.clear()
    }
  }
}

function createTenant (
  settings: EntraProviderSettings, observe: ((observation: GraphObservation & { providerId: string }) => void) | undefined
): Tenant {
  const { providerId, tenantId, clientId, credential, attemptTimeoutMs } = settings
  const cloud = usableCloud(settings)
  const http = createHttp(attemptTimeoutMs)
  const tokenRequest = { http, cloud, tenantId, clientId, credential }
  const token = createBrokerToken(async signal => await requestToken(tokenRequest, signal), attemptTimeoutMs)
  const graph = createGraphClient({ cloud, http, token, observe: observe && (observation => observe({ providerId, ...observation })) })
  return { directory: createEntraDirectory({ graph, http, cloud }), token, http }
}

function usableCloud ({ providerId, authorityHost, tenantId, graphBaseUrl }: EntraProviderSettings): Cloud {
  try {
    return cloudOf(authorityHost, tenantId, graphBaseUrl)
  } catch (error) {
    throw unusable(`provider ${providerId} can't be used: ${error instanceof Error ? error.message : 'its addresses are wrong'}`)
  }
}

function unusable (message: string): DirectoryError {
  return new DirectoryError('unauthenticated', message, { diagnostics: { reason: 'provider_unusable' } })
}
