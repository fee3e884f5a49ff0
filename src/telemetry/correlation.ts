// Which request and which registration a call to Graph belongs to, for logs and traces: carried beside the calls, not through every signature.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Correlation, CorrelationIds } from '../registration/ports.ts'

export interface AmbientCorrelation extends Correlation {
  /** Null: outside of any operation. */
  current (): CorrelationIds | null
}

export function createCorrelation (): AmbientCorrelation {
  const ambient = new AsyncLocalStorage<CorrelationIds>()
  return {
    within: (ids, work) => ambient.run(ids, work),
    current: () => ambient.getStore() ?? null
  }
}
