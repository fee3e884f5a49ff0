// Values of query parameters: which ones PostgreSQL can compare with.

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
// RFC 3339
const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

export function isUuid (text: string): boolean {
  return UUID.test(text)
}

/** Null: not an RFC 3339 time with an offset. */
export function parseDateTime (text: string): Date | null {
  const time = DATE_TIME.test(text) ? new Date(text) : null
  // PostgreSQL knows no year 0; an offset can lead there, or beyond 9999.
  return time !== null && time.getUTCFullYear() >= 1 && time.getUTCFullYear() <= 9999 ? time : null
}

/** PostgreSQL's text can't hold NUL. */
export function isStorableText (text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed()
}
