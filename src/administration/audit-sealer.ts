// Seals what was audited, in the background: events commit unchained, so that no request waits for another's.
import type { Clock } from '../registration/ports.ts'
import { sealsOf } from './audit-chain.ts'
import { checkpointOf, type AuditCheckpoint } from './audit-checkpoint.ts'
import type { AuditChainStore, AuditMacs, AuditSeal, OverduePosition } from './audit-port.ts'

const BATCH = 500

export interface AuditSealer {
  /** Seals what can be sealed by now, unless another replica is at it. */
  seal (signal: AbortSignal): Promise<void>
  /** The head of the chain if this process has sealed anything since the last one; else null. */
  checkpoint (): AuditCheckpoint | null
}

export function createAuditSealer (store: AuditChainStore, macs: AuditMacs, clock: Pick<Clock, 'now'>): AuditSealer {
  let head: AuditSeal | null = null
  let overdue: OverduePosition | null = null
  return {
    async seal (signal) {
      for (let full = true; full && !signal.aborted;) {
        const round = await store.extend(BATCH, overdue, (last, events) => sealsOf(macs, last, events))
        if (round === null) return
        overdue = round.overdue
        head = round.seals.at(-1) ?? head
        full = round.seals.length >= BATCH
      }
    },

    checkpoint () {
      if (head === null) return null
      const checkpoint = checkpointOf(macs, head, clock.now())
      head = null
      return checkpoint
    }
  }
}
