// Reading JSON that somebody else wrote, without trusting its shape.

/** JSON, or undefined for anything else. */
export function parseJson (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Somebody else's text, fit for a log line and a database: no control characters, no halves of characters. */
export function plainText (text: string, longest: number): string {
  return text.slice(0, longest).replaceAll(/[\p{Cc}\p{Cs}]/gu, ' ')
}

/** A member of an unknown value, or undefined. */
export function member (value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
