// The order in which waiting turns are served: start-time fair queueing. Whoever asks for much waits behind his own turns, not everybody behind them.

export interface Waiting {
  /** Whose turn it is. Parties with something to do get the same share. */
  party: string
  /** Writes. */
  size: number
}

export class FairQueue<Item extends Waiting> {
  /** By their tags, equal ones in the order they came. */
  readonly #entries: Array<{ tag: number, item: Item }> = []
  /** Where the next turn of a party begins in virtual time, which counts writes. */
  readonly #nextTags = new Map<string, number>()
  #virtualTime = 0
  #size = 0

  /** Writes of all that wait. */
  get size (): number {
    return this.#size
  }

  get first (): Item | undefined {
    return this.#entries[0]?.item
  }

  /** Turns that wait. */
  get length (): number {
    return this.#entries.length
  }

  /** Parties that have something here. */
  get parties (): number {
    return this.#nextTags.size
  }

  /** Writes served before a turn that this party would ask for now. */
  sizeAhead (party: string): number {
    const tag = this.#tagOf(party)
    let ahead = 0
    for (const entry of this.#entries) {
      if (entry.tag > tag) break
      ahead += entry.item.size
    }
    return ahead
  }

  add (item: Item): void {
    const tag = this.#tagOf(item.party)
    const index = this.#entries.findIndex(entry => entry.tag > tag)
    this.#entries.splice(index === -1 ? this.#entries.length : index, 0, { tag, item })
    this.#nextTags.set(item.party, tag + item.size)
    this.#size += item.size
  }

  shift (): Item | undefined {
    const entry = this.#entries.shift()
    if (entry === undefined) return undefined
    this.#virtualTime = entry.tag
    this.#forget(entry.item)
    return entry.item
  }

  remove (item: Item): void {
    const index = this.#entries.findIndex(entry => entry.item === item)
    if (index === -1) return
    this.#entries.splice(index, 1)
    this.#forget(item)
  }

  #forget (item: Item): void {
    this.#size -= item.size
    if (this.#entries.length > 0) return
    this.#nextTags.clear()
    this.#virtualTime = 0
  }

  /** Who was idle begins now: nobody saves up turns. */
  #tagOf (party: string): number {
    return Math.max(this.#virtualTime, this.#nextTags.get(party) ?? 0)
  }
}
