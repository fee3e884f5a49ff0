// The directories of all providers: each with a token, a Graph client and a connection pool of its own, made when first asked for.
import { DirectoryError, type Directories, type Directory } from '../registration/ports.ts'
import { isSameCredential, type EntraCredential } from './broker-credential.ts'
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
  /**
   * From now on exactly these are served. What a changed provider has in flight ends undisturbed; a changed credential is asked for a
   * token of its own. Resolves to the ids of those that are new or changed.
   */
  serve (providers: readonly EntraProviderSettings[]): string[]
  /** What became of the broker's own credential, per provider that has been used. */
  health (): Array<{ providerId: string } & BrokerTokenHealth>
  /** Asks for a token now, so that a wrong credential shows at start. Throws DirectoryError. */
  verify (providerId: string, signal: AbortSignal): Promise<void>
  /** Aborts what is in flight and closes all connections. */
  close (): Promise<void>
}

/** One tenant on its own, beside whatever else is connected to it. */
export interface EntraTenantConnection {
  directory: Directory
  /** Asks for a token, or has one. Throws DirectoryError. */
  authenticate (signal: AbortSignal): Promise<void>
  close (): Promise<void>
}

interface Tenant {
  settings: EntraProviderSettings
  directory: Directory
  token: BrokerToken
  http: Http
  /** Drops the token and asks with these from now on. */
  proveBy (settings: EntraProviderSettings): void
}

type Observe = (observation: GraphObservation & { providerId: string }) => void

/** `observe` sees every Graph attempt: it feeds metrics and logs. A provider that can't be used shows when it is asked for, not here. */
export function createEntraDirectories (providers: readonly EntraProviderSettings[], options: { observe?: Observe } = {}): EntraDirectories {
  let settingsById = new Map(providers.map(settings => [settings.providerId, settings]))
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
    serve (wanted) {
      const before = settingsById
      settingsById = new Map(wanted.map(settings => [settings.providerId, settings]))
      for (const [providerId, tenant] of tenants) {
        const settings = settingsById.get(providerId)
        if (settings !== undefined && isSamePlace(tenant.settings, settings)) {
          if (!isSameProof(tenant.settings, settings)) tenant.proveBy(settings)
        } else {
          tenants.delete(providerId)
          tenant.http.drain()
        }
      }
      return wanted.filter(settings => !isSame(before.get(settings.providerId), settings)).map(({ providerId }) => providerId)
    },
    close: async () => {
      await Promise.all([...tenants.values()].map(async ({ http }) => await http.close()))
      tenants.clear()
      settingsById.clear()
    }
  }
}

/** Throws DirectoryError for addresses that can't be used. */
export function connectToTenant (settings: EntraProviderSettings): EntraTenantConnection {
  const { directory, token, http } = createTenant(settings, undefined)
  return { directory, authenticate: async signal => { await token.get(signal) }, close: async () => await http.close() }
}

function createTenant (first: EntraProviderSettings, observe: Observe | undefined): Tenant {
  const { providerId, tenantId, attemptTimeoutMs } = first
  const cloud = usableCloud(first)
  const http = createHttp(attemptTimeoutMs)
  const tokenBy = ({ clientId, credential }: EntraProviderSettings) =>
    createBrokerToken(async signal => await requestToken({ http, cloud, tenantId, clientId, credential }, signal), attemptTimeoutMs)
  let current = tokenBy(first)
  const token: BrokerToken = {
    get: async signal => await current.get(signal),
    invalidate: value => current.invalidate(value),
    health: () => current.health()
  }
  const graph = createGraphClient({ cloud, http, token, observe: observe && (observation => observe({ providerId, ...observation })) })
  const tenant: Tenant = {
    settings: first,
    directory: createEntraDirectory({ graph, http, cloud }),
    token,
    http,
    // Who holds the directory goes on with it: its next call asks the new token.
    proveBy (settings) {
      tenant.settings = settings
      current = tokenBy(settings)
    }
  }
  return tenant
}

function isSamePlace (one: EntraProviderSettings, other: EntraProviderSettings): boolean {
  return one.tenantId === other.tenantId && one.authorityHost === other.authorityHost && one.graphBaseUrl === other.graphBaseUrl
}

function isSameProof (one: EntraProviderSettings, other: EntraProviderSettings): boolean {
  return one.clientId === other.clientId && isSameCredential(one.credential, other.credential)
}

function isSame (one: EntraProviderSettings | undefined, other: EntraProviderSettings): boolean {
  return one !== undefined && isSamePlace(one, other) && isSameProof(one, other)
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
