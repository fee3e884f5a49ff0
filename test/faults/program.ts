// What a campaign needs that is a program of its own and no test: its parts are taken down when it ends.
import type { Test } from 'tap'

export type Teardowns = Pick<Test, 'teardown'>

/** What was opened last is closed first. */
export async function withTeardowns<T> (run: (t: Teardowns) => Promise<T>): Promise<T> {
  const closers: Array<() => unknown> = []
  const t = { teardown: (close: () => unknown) => { closers.push(close) } } as Teardowns
  try {
    return await run(t)
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

/** The value of `--name`, a number. */
export function numberOption (name: string, fallback: number): number {
  const index = process.argv.indexOf(`--${name}`)
  if (index < 0) return fallback
  const value = Number(process.argv[index + 1])
  if (!(value > 0)) throw new Error(`--${name} wants a number above 0`)
  return value
}
