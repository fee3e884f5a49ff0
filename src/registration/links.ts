// Which products Konnect has linked with a client, as its events tell.
import type { ProductEvent } from './registration.ts'

export interface Link {
  productId: string
  applicationId: string | null
  audience: string | null
  since: Date
}

/** @param events oldest first; the newest about a product decides */
export function linksOf (events: readonly ProductEvent[]): Link[] {
  const links = new Map<string, Link>()
  for (const { type, productId, applicationId, audience, receivedAt } of events) {
    if (productId === null) continue
    if (type === 'remove_registration') links.delete(productId)
    if (type === 'add_registration') links.set(productId, { productId, applicationId, audience, since: links.get(productId)?.since ?? receivedAt })
  }
  return [...links.values()]
}
