// JSON with sorted members: equal values become equal texts, whatever order their members have (jsonb keeps none).

export function canonicalJson (value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) => isPlainObject(inner)
    ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => one < other ? -1 : 1))
    : inner)
}

function isPlainObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
