// How far a long piece of work has come: one line on a terminal that is written again and again, nothing elsewhere.

/** Where the line is written: stderr, so that stdout stays the answer. */
export interface ProgressStream {
  isTTY?: boolean
  columns?: number
  write (text: string): unknown
}

export interface Progress {
  /** `total` null: not known. */
  advance (done: number, total?: number | null): void
  /** Takes the line away. */
  end (): void
}

/** Not redrawn more often than this. */
const EVERY_MS = 100
const BAR_WIDTH = 24
const DEFAULT_COLUMNS = 80

export function createProgress (what: string, stream: ProgressStream = process.stderr, monotonicMs: () => number = () => performance.now()): Progress {
  if (stream.isTTY !== true) return { advance () {}, end () {} }
  let lastMs = -Infinity

  return {
    advance (done, total = null) {
      const isOver = total !== null && done >= total
      if (monotonicMs() - lastMs < EVERY_MS && !isOver) return
      lastMs = monotonicMs()
      stream.write(`\r\u001b[2K${lineOf(what, done, total).slice(0, (stream.columns ?? DEFAULT_COLUMNS) - 1)}`)
    },
    end () {
      if (lastMs > -Infinity) stream.write('\r\u001b[2K')
    }
  }
}

function lineOf (what: string, done: number, total: number | null): string {
  if (total === null || total <= 0) return `${what}: ${done}`
  const share = Math.min(1, done / total)
  const filled = Math.round(share * BAR_WIDTH)
  return `${what}: [${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${Math.floor(share * 100)} % (${done} of ${total})`
}
