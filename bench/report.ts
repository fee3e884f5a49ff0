// The figures as a table, and the file they are kept in.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Row, Target } from './contest.ts'
import type { Spread } from './statistics.ts'

export interface Report {
  startedAt: string
  circumstances: Record<string, string>
  rows: Row[]
  notes: string[]
}

const columns: ReadonlyArray<[title: string, cell: (row: Row) => string]> = [
  ['case', ({ name }) => name],
  ['broker', ({ ours, unit }) => `${textOf(ours)} ${unit}`],
  ['compared with', ({ peer, unit }) => peer === null ? '' : `${peer.name}: ${textOf(peer.figure)} ${unit}`],
  ['ratio', ({ found }) => textOf(found, 2)],
  ['target', ({ target }) => target === null ? '' : targetText(target)],
  ['', ({ verdict }) => verdict],
  ['CPU ms each', ({ cpuMs }) => cpuMs === undefined ? '' : [cpuMs.ours, cpuMs.peer].flatMap(value => value === null ? [] : [value.toFixed(2)]).join(' / ')]
]

export function describe ({ circumstances, rows, notes }: Report): string {
  return [
    ...Object.entries(circumstances).map(([name, value]) => `${name}: ${value}`),
    '',
    ...table([columns.map(([title]) => title), ...rows.map(row => columns.map(([, cell]) => cell(row)))]),
    '',
    ...notes
  ].join('\n')
}

export async function keep (path: string, report: Report): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `${JSON.stringify(report, null, 2)}\n`)
}

/** Median (least-most). */
function textOf ({ median, min, max }: Spread, digits = median < 20 ? 2 : 0): string {
  const [middle, least, most] = [median, min, max].map(value => value.toFixed(digits))
  return least === most ? `${middle}` : `${middle} (${least}-${most})`
}

function targetText ({ atLeast, atMost }: Target): string {
  return [atLeast === undefined ? '' : `>= ${atLeast}`, atMost === undefined ? '' : `<= ${atMost}`].join(' ').trim()
}

function table (rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd())
}
