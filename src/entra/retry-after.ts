// RFC 9110 §10.2.3: how long the other side asks us to stay away.

const longestMs = 3_600_000

/** Milliseconds from `nowMs`, between 0 and an hour; undefined when the header is absent or makes no sense. */
export function retryAfterMs (header: string | string[] | undefined, nowMs: number): number | undefined {
  const text = (Array.isArray(header) ? header[0] : header)?.trim()
  if (text === undefined || text === '') return undefined
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : millisecondsUntil(text, nowMs)
  return ms === undefined ? undefined : Math.min(Math.max(0, Math.ceil(ms)), longestMs)
}

function millisecondsUntil (text: string, nowMs: number): number | undefined {
  // Date.parse guesses at nearly anything; an HTTP date starts with the day's name and ends with its zone.
  if (!/^[A-Z][a-z]{2,8},? .* GMT$/.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at - nowMs
}
