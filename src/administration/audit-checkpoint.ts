// A checkpoint: the head of the chain, signed, kept outside the database (in the log). It shows when the chain was cut or rewritten.
import { hex } from './audit-chain.ts'
import type { AuditMacs, AuditSeal } from './audit-port.ts'

/** As it stands in the log line `Audit checkpoint`. */
export interface AuditCheckpoint {
  seq: number
  /** Of the event with this number, in hex. */
  mac: string
  /** When it was made (RFC 3339). */
  at: string
  pepperId: string
  /** In hex. */
  signature: string
}

export const CHECKPOINT_MESSAGE = 'Audit checkpoint'

export function checkpointOf (macs: AuditMacs, head: AuditSeal, now: Date): AuditCheckpoint {
  const body = { seq: head.seq, mac: hex(head.mac), at: now.toISOString() }
  const { pepperId, digest } = macs.auditMac('checkpoint', partsOf(body))
  return { ...body, pepperId, signature: hex(digest) }
}

/** Whether a keyring with this pepper has signed it. Throws VaultError for a pepper the keyring does not have. */
export function isSigned (macs: AuditMacs, { pepperId, signature, ...body }: AuditCheckpoint): boolean {
  return hex(macs.auditMac('checkpoint', partsOf(body), pepperId).digest) === signature
}

/** The checkpoints in lines of a log, or one alone; other lines are passed over. */
export function readCheckpoints (text: string): AuditCheckpoint[] {
  return text.split('\n').flatMap(line => {
    const checkpoint = toCheckpoint(line)
    return checkpoint === null ? [] : [checkpoint]
  })
}

function toCheckpoint (line: string): AuditCheckpoint | null {
  // Collectors put a prefix before the line they collect.
  const found = /\{.*\}/.exec(line)?.[0]
  if (found === undefined) return null
  try {
    const { seq, mac, at, pepperId, signature } = JSON.parse(found) as Partial<Record<keyof AuditCheckpoint, unknown>>
    return typeof seq === 'number' && typeof mac === 'string' && typeof at === 'string' && typeof pepperId === 'string' && typeof signature === 'string'
      ? { seq, mac, at, pepperId, signature }
      : null
  } catch {
    return null
  }
}

function partsOf ({ seq, mac, at }: Pick<AuditCheckpoint, 'seq' | 'mac' | 'at'>): string[] {
  return [String(seq), mac, at]
}
