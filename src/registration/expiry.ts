// Expiry: clients whose policy says that their time is over are disabled first and deleted after its grace, so many per run.
import type { Core } from './core.ts'

export interface ExpiryReport {
  disabled: number
  deleting: number
}

/** Only the rows are changed here; Entra follows as with any other wish, claimed by whoever comes first. */
export async function expireClients ({ ports: { store }, settings: { expiryMaxPerRun } }: Core): Promise<ExpiryReport> {
  return { disabled: await store.disableExpired(expiryMaxPerRun), deleting: await store.endExpired(expiryMaxPerRun) }
}
