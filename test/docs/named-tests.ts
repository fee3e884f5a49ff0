// Pages that name the tests which prove them: rows of tables, and what they name.
import { readFile, stat } from 'node:fs/promises'
import type { Test } from 'tap'

/** The cells of every row of every table. */
export function rowsOf (page: string): string[][] {
  return page.split('\n').filter(line => line.startsWith('| ')).map(line => line.split('|').slice(1, -1).map(cell => cell.trim()))
}

/** The numbers of rows that begin with the letter and a number, in their order. */
export function numbersOf (rows: readonly string[][], letter: string): number[] {
  return rows.map(([name = '']) => new RegExp(`^${letter}(\\d+)$`).exec(name)?.[1]).filter(number => number !== undefined).map(Number)
}

export function upTo (count: number): number[] {
  return Array.from({ length: count }, (_each, index) => index + 1)
}

/** Every file that the page names is there, and has a test with each of the names behind it: `test/a.test.ts` › one › another, or › F1, F2. */
export async function checkNamedTests (t: Pick<Test, 'ok'>, page: string): Promise<void> {
  const named = [...page.matchAll(/`(test\/[\w./-]+)`(?: › ([^;|]+))?/g)]
  t.ok(named.length > 40)
  for (const [, path = '', names] of named) {
    const found = await stat(path).catch(() => null)
    t.ok(found, path)
    if (found === null || names === undefined) continue
    const source = (await readFile(path, 'utf8')).replaceAll("\\'", "'")
    for (const name of names.split(/ › |, (?=[FS]\d)/)) t.ok(source.includes(name.trim()), `${path}: ${name}`)
  }
}
