// Where a page ended, as an opaque text: base64url of [sort, value, id].
import type { ListPosition } from '../../../listing/query.ts'
import { isStorableText, isUuid, parseDateTime } from '../values.ts'

/** What a list is sorted by. */
export type SortKind = 'time' | 'text'

/** @param sort the sort of the list as the caller writes it: a cursor belongs to one */
export function encodeCursor (position: ListPosition, sort: string): string {
  return Buffer.from(JSON.stringify([sort, position.value, position.id])).toString('base64url')
}

/** Null: not one of ours, or of a list with another sort. */
export function decodeCursor (cursor: string, sort: string, kind: SortKind): ListPosition | null {
  const [cursorSort, text, id] = parse(cursor)
  if (cursorSort !== sort || typeof text !== 'string' || typeof id !== 'string' || !isUuid(id)) return null
  const value = kind === 'text' ? (isStorableText(text) ? text : null) : parseDateTime(text)
  return value === null ? null : { value, id }
}

function parse (cursor: string): unknown[] {
  try {
    const content: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(content) ? content : []
  } catch {
    return []
  }
}
