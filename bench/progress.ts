// What is going on, on stderr: one line that changes; one for each group where nobody looks at a terminal.
export interface Progress {
  group (name: string): void
  tell (what: string): void
  end (): void
}

export function createProgress (stream: NodeJS.WriteStream = process.stderr): Progress {
  const startedMs = performance.now()
  let current = ''
  const seconds = () => `${((performance.now() - startedMs) / 1000).toFixed(0)} s`
  const show = (text: string) => { if (stream.isTTY) stream.write(`\r\x1b[K${text}`) }
  return {
    group (name) {
      current = name
      if (stream.isTTY) show(`${seconds()}  ${name}`)
      else stream.write(`${seconds()}  ${name}\n`)
    },
    tell: what => show(`${seconds()}  ${current}: ${what}`),
    end: () => show('')
  }
}
