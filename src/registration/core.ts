// What every use case works with: the world, the numbers, and what one process remembers between requests.
import type { RefusedAdoptions } from './adoption.ts'
import type { Deliveries } from './deliveries.ts'
import type { Ports } from './ports.ts'
import type { CoreSettings } from './settings.ts'
import type { Traffic } from './traffic/traffic.ts'

export interface Core {
  ports: Ports
  settings: CoreSettings
  deliveries: Deliveries
  traffic: Traffic
  /** Registrations whose row is not committed yet, by the caller and fingerprint of their request. */
  beginning: Map<string, Promise<unknown>>
  refusedAdoptions: RefusedAdoptions
}

/** Who is acting, for the audit: a caller, or the broker itself. */
export interface Actor {
  id: string
  requestId: string | null
  /** Where the request came from; left out: not over the network. */
  sourceAddress?: string | null
}
