// Statements of the paths that every caller waits for, straight to PostgreSQL: Prisma's `$queryRaw` costs twice as much for the same
// statement (docs/performance.md). What they bring is what `pg` makes of a type: a bigint is text, bytes are a Buffer.
import { createHash } from 'node:crypto'
import type pg from 'pg'
import type { Prisma } from './generated/client.ts'

/** Runs one statement, and so one commit. Rejects as `pg` does; `guarded` (store-errors.ts) reads that too. */
export type RunStatement = <Row>(statement: Prisma.Sql) => Promise<Row[]>

const NAMES_REMEMBERED = 500

export function createRunStatement (pool: pg.Pool): RunStatement {
  const nameOf = createStatementNames()
  return async <Row>({ text, values }: Prisma.Sql) => (await pool.query({ name: nameOf(text), text, values })).rows as Row[]
}

/** Named statements are parsed and planned once per connection. Texts are few, but lists of varying length make new ones: those stay unnamed (''). */
export function createStatementNames (): (text: string) => string {
  const names = new Map<string, string>()
  return text => {
    const known = names.get(text)
    if (known !== undefined) return known
    if (names.size >= NAMES_REMEMBERED) return ''
    const name = `dcr_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`
    names.set(text, name)
    return name
  }
}
