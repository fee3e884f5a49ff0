// Use cases: look through the audit, and prove that nobody has changed it.
import type { ListQuery, Page } from '../listing/query.ts'
import { readPage } from '../listing/read-page.ts'
import { toRegistrationError } from '../registration/failures.ts'
import { VaultError } from '../registration/ports.ts'
import type { Caller } from '../registration/registration.ts'
import { hex, macOf } from './audit-chain.ts'
import { isSigned, type AuditCheckpoint } from './audit-checkpoint.ts'
import type { AuditBrowser, AuditChainStore, AuditField, AuditMacs, AuditSortField, ListedAuditEvent, SealedEvent } from './audit-port.ts'

const PAGE = 1_000
/** More is said as "at least so many". */
const MOST_COUNTED = 10_000

export type AuditQuery = ListQuery<AuditField, AuditSortField>

export interface AuditReader {
  /** An operator of one provider sees what concerns that provider. @throws RegistrationError temporarily_unavailable */
  list (query: AuditQuery, caller: Pick<Caller, 'providerId'>): Promise<Page<ListedAuditEvent>>
}

export function createAuditReader (browser: AuditBrowser): AuditReader {
  return {
    async list (query, { providerId }) {
      const source = {
        list: (rows: Parameters<AuditBrowser['list']>[0]) => browser.list(rows, providerId),
        count: (filters: AuditQuery['filters'], limit: number) => browser.count(filters, providerId, limit),
        sortValueOf: (event: ListedAuditEvent) => event.at
      }
      return await readPage(source, query).catch((error: unknown) => { throw toRegistrationError(error) })
    }
  }
}

export type AuditFaultKind =
  /** A number is missing from the chain. */
  | 'gap'
  /** The event of a number is gone. */
  | 'deleted'
  /** Events stand under each other's numbers. */
  | 'reordered'
  /** An event, or its seal, is not what was sealed. */
  | 'altered'
  /** The keyring lacks the pepper: what it sealed can't be judged. */
  | 'unknown_pepper'
  /** A checkpoint that no keyring with its pepper has signed. */
  | 'forged_checkpoint'
  /** The chain ends before a checkpoint. */
  | 'truncated'
  /** The chain is whole, but another one than the checkpoint saw. */
  | 'rewritten'

export interface AuditFault {
  kind: AuditFaultKind
  seq: number
  eventId: string | null
  /** A sentence for the operator. */
  message: string
}

export interface AuditVerdict {
  /** Events that are proved, from the first on. */
  verified: number
  /** Number and MAC (hex) of the last of them; null: none. */
  head: { seq: number, mac: string } | null
  /** Events older than an hour without a seal, at most 10,000: the sealer does not run. */
  overdue: number
  /** The first that was found; null: all is well. */
  fault: AuditFault | null
}

export interface VerifyOptions {
  checkpoints?: readonly AuditCheckpoint[]
  /** Told after each page. */
  progress?: (verified: number, total: number) => void
  signal?: AbortSignal
}

/** Recomputes the chain from its beginning. @throws StoreUnavailableError; the signal's reason */
export async function verifyAudit (store: AuditChainStore, macs: AuditMacs, options: VerifyOptions = {}): Promise<AuditVerdict> {
  const { checkpoints = [], progress = () => {}, signal } = options
  const wanted = new Set(checkpoints.map(({ seq }) => seq))
  const seen = new Map<number, string>()
  const total = await store.lastSeq()
  const overdue = await store.countOverdue(MOST_COUNTED)
  let verified = 0
  let before: Uint8Array | null = null
  const verdict = (fault: AuditFault | null): AuditVerdict =>
    ({ verified, head: before === null ? null : { seq: verified, mac: hex(before) }, overdue, fault })
  for (;;) {
    signal?.throwIfAborted()
    const page = await store.read(verified, PAGE)
    if (page.length === 0) break
    for (const [index, link] of page.entries()) {
      const fault = faultOf(macs, link, verified + 1, before, page.slice(index + 1))
      if (fault !== null) return verdict(fault)
      verified = link.seal.seq
      before = link.seal.mac
      if (wanted.has(verified)) seen.set(verified, hex(before))
    }
    progress(verified, Math.max(total, verified))
  }
  return verdict(firstOf(checkpoints, checkpoint => faultOfCheckpoint(macs, checkpoint, verified, seen)))
}

function faultOf (macs: AuditMacs, { seal, event }: SealedEvent, seq: number, before: Uint8Array | null, following: readonly SealedEvent[]): AuditFault | null {
  const fault = (kind: AuditFaultKind, message: string, eventId: string | null = seal.eventId): AuditFault => ({ kind, seq, eventId, message })
  if (seal.seq !== seq) return fault('gap', `Number ${seq} is missing: the chain goes on with ${seal.seq}.`, null)
  if (event === null) return fault('deleted', `The event ${seal.eventId} (number ${seq}) was deleted.`)
  try {
    const mac = (of: SealedEvent) => of.event === null ? null : hex(macOf(macs, seq, before, of.event, of.seal.pepperId).digest)
    if (mac({ seal, event }) === hex(seal.mac)) return null
    // The event that was sealed here may stand further on, with its seal or without.
    const moved = following.find(other => [hex(seal.mac), hex(other.seal.mac)].includes(mac(other) ?? ''))
    return moved === undefined
      ? fault('altered', `The event ${event.id} (number ${seq}) or its seal was altered.`)
      : fault('reordered', `The event ${event.id} stands under number ${seq}, where ${moved.seal.eventId} was sealed.`)
  } catch (error) {
    if (!(error instanceof VaultError)) throw error
    return fault('unknown_pepper', `Number ${seq} was sealed under the pepper ${seal.pepperId}, which the keyring does not have.`)
  }
}

function faultOfCheckpoint (macs: AuditMacs, checkpoint: AuditCheckpoint, verified: number, seen: ReadonlyMap<number, string>): AuditFault | null {
  const { seq, mac, at, pepperId } = checkpoint
  const fault = (kind: AuditFaultKind, message: string): AuditFault => ({ kind, seq, eventId: null, message })
  try {
    if (!isSigned(macs, checkpoint)) return fault('forged_checkpoint', `The checkpoint of ${at} was not signed with this keyring.`)
  } catch (error) {
    if (!(error instanceof VaultError)) throw error
    return fault('unknown_pepper', `The checkpoint of ${at} was signed under the pepper ${pepperId}, which the keyring does not have.`)
  }
  if (seq > verified) return fault('truncated', `The chain ends with number ${verified}, but had ${seq} at ${at}: what follows ${verified} was cut off.`)
  return seen.get(seq) === mac ? null : fault('rewritten', `Number ${seq} is not what the checkpoint of ${at} saw: the chain was written anew.`)
}

function firstOf<Value, Found> (values: readonly Value[], find: (value: Value) => Found | null): Found | null {
  for (const value of values) {
    const found = find(value)
    if (found !== null) return found
  }
  return null
}
