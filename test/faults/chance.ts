// Chance that can be repeated: whatever a campaign picks comes from its seed. What two processes make of it at the same moment does not.

export class Chance {
  readonly seed: number
  #state: number

  constructor (seed: number) {
    this.seed = seed
    this.#state = seed >>> 0
  }

  /** From 0 to below 1 (mulberry32). */
  next (): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number, both ends included. */
  between (least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  happens (share: number): boolean {
    return this.next() < share
  }

  pick<T> (from: readonly T[]): T {
    if (from.length === 0) throw new Error('There is nothing to pick from')
    return from[this.between(0, from.length - 1)] as T
  }

  /** @param weights how often each name is picked, beside the others */
  weighted<Name extends string> (weights: Record<Name, number>): Name {
    const entries = Object.entries(weights) as Array<[Name, number]>
    let rest = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) if ((rest -= weight) < 0) return name
    return (entries.at(-1) as [Name, number])[0]
  }

  shuffled<T> (items: readonly T[]): T[] {
    return items.map(item => ({ item, order: this.next() })).sort((one, other) => one.order - other.order).map(({ item }) => item)
  }

  /** A generator of its own, for what runs beside others: the order in which they draw then changes nothing. */
  fork (): Chance {
    return new Chance(Math.floor(this.next() * 2 ** 32))
  }
}

/** SEED of the environment, or another one: by default a new one. */
export function chosenSeed (otherwise = Math.floor(Math.random() * 2 ** 31)): number {
  const { SEED } = process.env
  return SEED === undefined || SEED === '' ? otherwise : Number(SEED)
}
