// What every use case works with: the world, the numbers, and what one process remembers between requests.
import type { RefusedAdoptions } from './adoption.ts'
import type { Deliveries } from './deliveries.ts'
import type { Pauses } from './pauses.ts'
import type { Ports } from './ports.ts'
import type { CoreSettings } from './settings.ts'

export interface Core {
  ports: Ports
  settings: CoreSettings
  deliveries: Deliveries
  pauses: Pauses
  refusedAdoptions: RefusedAdoptions
}

/** Who is acting, for the audit: a caller, or the broker itself. */
export interface Actor {
  id: string
  requestId: string | null
  /** Where the request came from; left out: not over the network. */
  sourceAddress?: string | null
}
