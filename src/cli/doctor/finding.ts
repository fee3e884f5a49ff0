// What doctor has found in one place, and what to do about it.
import { redactText } from '../../log-redaction.ts'

export type Area = 'settings' | 'database' | 'migrations' | 'keyring' | 'tenant' | 'callers'

export interface Finding {
  area: Area
  status: 'ok' | 'warning' | 'failed'
  /** A sentence. Never a secret. */
  found: string
  /** What to do; null: nothing. */
  advice: string | null
}

export const fine = (area: Area, found: string): Finding => ({ area, status: 'ok', found, advice: null })
export const warning = (area: Area, found: string, advice: string): Finding => ({ area, status: 'warning', found, advice })
export const failed = (area: Area, found: string, advice: string): Finding => ({ area, status: 'failed', found, advice })

/** Only what a person may read. */
export const messageOf = (error: unknown): string => redactText(error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ')

const noticeableMs = 1_000
const tooMuchMs = 30_000

/** `whose` clock is so far ahead of this machine's. Entra and Graph tell whole seconds. */
export function clockFinding (area: Area, whose: string, aheadMs: number): Finding {
  const seconds = Math.round(Math.abs(aheadMs) / 1_000)
  const found = `The clock of ${whose} is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine's.`
  const advice = 'Synchronise both machines by NTP: expiries and the broker\'s own tokens depend on the time.'
  if (Math.abs(aheadMs) > tooMuchMs) return failed(area, found, advice)
  return Math.abs(aheadMs) > noticeableMs * 2 ? warning(area, found, advice) : fine(area, `The clock of ${whose} agrees with this machine's.`)
}
