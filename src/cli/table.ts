// Rows in columns, for people.

/** Lines with a heading; null is shown as a dash. */
export function table (heading: readonly string[], rows: ReadonlyArray<ReadonlyArray<string | number | null>>): string[] {
  const cells = [heading, ...rows.map(row => row.map(cell => cell === null || cell === '' ? '-' : String(cell)))]
  const widths = heading.map((_, column) => Math.max(...cells.map(row => row[column]?.length ?? 0)))
  return cells.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd())
}
