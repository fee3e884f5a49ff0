// Which request and which registration a call to Graph belongs to, for logs and traces: carried beside the calls, not through every signature.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Correlation, CorrelationIds } from '../registration/ports.ts'

export interface AmbientCorrelation extends Correlation {
  /** Null: outside of any operation. */
  current (): CorrelationIds | null
}

/** @param isRead whether anybody asks: Node.js 20 makes every promise of the process dearer once something is carried along */
export function createCorrelation (isRead: () => boolean): AmbientCorrelation {
  const ambient = new AsyncLocalStorage<CorrelationIds>()
  return {
    within: (ids, work) => isRead() ? ambient.run(ids, work) : work(),
    current: () => ambient.getStore() ?? null
  }
}
