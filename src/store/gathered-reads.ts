// Look-ups that anybody can cause, with keys and tokens of his own invention. However many come, few statements go to the database:
// what is wanted meanwhile waits and goes along with the next one. A flood then costs elements of a list, and a good key, which nothing
// tells from a bad one before it is looked up, is found in the middle of it.
const STATEMENTS_A_SECOND = 500
/** Of the pool's connections. */
const STATEMENTS_AT_ONCE = 2
/** Of one statement; what is beyond goes with the next. */
const MOST_GATHERED = 1_000

export interface GatheredReads<Key, Found> {
  /** Null: not there. Rejects with what the statement rejects with. */
  find (key: Key): Promise<Found | null>
}

export interface GatheredReadsOptions<Key, Found> {
  /** Equal exactly for equal keys. */
  nameOf (key: Key): string
  /** One statement. Resolves to what was found, by name. */
  read (keys: Key[]): Promise<ReadonlyMap<string, Found>>
  monotonicMs: () => number
}

interface Wanted<Key, Found> {
  key: Key
  answer: Promise<Found | null>
  resolve (found: Found | null): void
  reject (error: unknown): void
}

/**
 * While few ask, each statement goes at once; beyond that they go in steps of 2 ms. A statement that has found half of what it was to
 * find is no guessing, and has cost nothing.
 */
export function createGatheredReads<Key, Found> ({ nameOf, read, monotonicMs }: GatheredReadsOptions<Key, Found>): GatheredReads<Key, Found> {
  const waiting = new Map<string, Wanted<Key, Found>>()
  const pace = createPace(monotonicMs)
  let underWay = 0
  let isDelayed = false

  function proceed (): void {
    if (waiting.size === 0 || underWay >= STATEMENTS_AT_ONCE || isDelayed) return
    if (pace.isDue()) {
      send([...waiting].slice(0, MOST_GATHERED))
      return proceed()
    }
    isDelayed = true
    setTimeout(() => {
      isDelayed = false
      proceed()
    }, 1_000 / STATEMENTS_A_SECOND)
  }

  function send (gathered: ReadonlyArray<[name: string, Wanted<Key, Found>]>): void {
    underWay++
    for (const [name] of gathered) waiting.delete(name)
    read(gathered.map(([, { key }]) => key)).then(
      found => {
        if (2 * found.size >= gathered.length) pace.giveBack()
        for (const [name, { resolve }] of gathered) resolve(found.get(name) ?? null)
      },
      // The database is away: whoever waits behind a statement that has hung would learn it after his deadline.
      error => { for (const { reject } of [...gathered.map(([, wanted]) => wanted), ...taken(waiting)]) reject(error) }
    ).finally(() => {
      underWay--
      proceed()
    })
  }

  return {
    async find (key) {
      const name = nameOf(key)
      // Never a statement that has left already: what was changed before the question has to be in the answer.
      const wanted = waiting.get(name) ?? want<Key, Found>(key)
      waiting.set(name, wanted)
      proceed()
      return await wanted.answer
    }
  }
}

function want<Key, Found> (key: Key): Wanted<Key, Found> {
  let [resolve, reject]: [Wanted<Key, Found>['resolve'], Wanted<Key, Found>['reject']] = [() => {}, () => {}]
  const answer = new Promise<Found | null>((...settle) => { [resolve, reject] = settle })
  return { key, answer, resolve, reject }
}

function taken<Value> (map: Map<string, Value>): Value[] {
  const values = [...map.values()]
  map.clear()
  return values
}

interface Pace {
  /** Whether another statement may go now. */
  isDue (): boolean
  giveBack (): void
}

/** After a rest a second's worth may go at once. */
function createPace (monotonicMs: () => number): Pace {
  let allowance = STATEMENTS_A_SECOND
  let countedAtMs = monotonicMs()
  return {
    isDue () {
      const nowMs = monotonicMs()
      allowance = Math.min(STATEMENTS_A_SECOND, allowance + (nowMs - countedAtMs) / 1_000 * STATEMENTS_A_SECOND)
      countedAtMs = nowMs
      if (allowance < 1) return false
      allowance--
      return true
    },
    giveBack () { allowance++ }
  }
}
