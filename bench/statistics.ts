// Order statistics over measured values.

/** The smallest value that at least `share` (0 to 1) of the values do not exceed (nearest rank). @throws {RangeError} without values */
export function percentile (values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new RangeError('A percentile needs values')
  return value
}

export interface Spread {
  median: number
  min: number
  max: number
}

export function spreadOf (values: readonly number[]): Spread {
  return { median: percentile(values, 0.5), min: percentile(values, 0), max: percentile(values, 1) }
}
