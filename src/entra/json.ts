// Reading JSON that somebody else wrote, without trusting its shape.

/** JSON, or undefined for anything else. */
export function parseJson (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A member of an unknown value, or undefined. */
export function member (value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
