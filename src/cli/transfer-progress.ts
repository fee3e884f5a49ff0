// How far a long transfer is: one line on a terminal, nothing elsewhere.

export interface TransferProgress {
  count (lines: number): void
  end (): void
}

/** @param terminal where the line is drawn, e.g. process.stderr */
export function transferProgress (terminal: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>, what: string, total: number | null = null): TransferProgress {
  let drawnAtMs = 0
  const draw = (lines: number) => { terminal.write(`\r${lines}${total === null ? '' : ` of ${total}`} ${what}`) }
  return {
    count (lines) {
      const nowMs = performance.now()
      if (!terminal.isTTY || (nowMs - drawnAtMs < 100 && lines !== total)) return
      drawnAtMs = nowMs
      draw(lines)
    },
    end () {
      if (terminal.isTTY) terminal.write('\r\u001b[K')
    }
  }
}
