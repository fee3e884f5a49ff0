// What the benchmark of scale found, beside what was promised.
import type { Spread } from '../statistics.ts'

const MOST_TIMES = 1.5
/** An export of many registrations may hold so much more than one of few. */
const MOST_MORE_MIB = 5

export interface Line {
  name: string
  unit: 'ms' | 'MiB'
  /** Told, not judged. */
  isReported: boolean
  few: Spread
  many: Spread
  ratio: number
  /** Different statements whose plans were looked at. */
  statements: number
  /** Statements that read a big table to its end. */
  faults: string[]
}

export type Verdict = 'kept' | 'BROKEN' | 'reported'

export function judge (lines: readonly Line[]): Verdict[] {
  return lines.map(({ unit, isReported, few, many, ratio, faults }) => {
    const isFlat = unit === 'MiB' ? many.median <= few.median + MOST_MORE_MIB : ratio <= MOST_TIMES
    return isReported ? 'reported' : isFlat && faults.length === 0 ? 'kept' : 'BROKEN'
  })
}

export function describe (lines: readonly Line[], fewRows: number, manyRows: number): string {
  const verdicts = judge(lines)
  const spread = ({ median, min, max }: Spread, unit: string): string => `${digits(median)} ${unit} (${digits(min)}-${digits(max)})`
  const cells = [
    ['', '', `at ${fewRows}`, `at ${manyRows}`, 'ratio', 'statements'],
    ...lines.map(({ name, unit, few, many, ratio, statements }, index) =>
      [verdicts[index] ?? '', name, spread(few, unit), spread(many, unit), ratio.toFixed(2), String(statements)])
  ]
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map(row => row[column]?.length ?? 0)))
  return [
    ...cells.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()),
    ...lines.flatMap(({ name, faults }) => faults.map(fault => `\n${name}: ${fault}`))
  ].join('\n')
}

function digits (value: number): string {
  return value.toFixed(value < 1 ? 3 : 2)
}
