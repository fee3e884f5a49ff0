// Side by side: every side measured once per round, all of them in turn, and compared round by round. What disturbs the machine for a
// while disturbs all sides alike, and so leaves the ratios alone.
import { spreadOf, type Spread } from './statistics.ts'

/** What one turn has measured, by name; a figure that the system does not tell is left out. */
export type Figures = Readonly<Record<string, number>>

export interface Side {
  /** As the table calls it. */
  name: string
  turn (): Promise<Figures>
}

/** The figures of all rounds, by side. */
export type Rounds = ReadonlyMap<Side, readonly Figures[]>

/** Who begins changes from round to round: what slows down by and by slows all alike. */
export async function inTurns (sides: readonly Side[], rounds: number, tell: (what: string) => void): Promise<Rounds> {
  const measured = new Map<Side, Figures[]>(sides.map(side => [side, []]))
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      tell(`round ${round + 1} of ${rounds}: ${side.name}`)
      measured.get(side)?.push(await side.turn())
    }
  }
  return measured
}

export interface Target {
  atLeast?: number
  atMost?: number
}

/** A line of the table. */
export interface Row {
  /** What is measured. */
  name: string
  unit: string
  ours: Spread
  /** Null: held against its target as it is. */
  peer: { name: string, figure: Spread } | null
  /** What is held against the target: ours by the peer's, round by round. */
  found: Spread
  /** Null: printed only. */
  target: Target | null
  verdict: 'kept' | 'MISSED' | 'shown'
  /** CPU time of the two processes per request. */
  cpuMs?: { ours: number | null, peer: number | null }
}

export interface RowPlan {
  name: string
  unit: string
  /** Which of the figures. */
  figure: string
  ours: Side
  /** A side, or a number that is known beforehand. */
  peer: Side | { name: string, value: number }
  target: Target | null
}

export function compare (rounds: Rounds, { name, unit, figure, ours, peer, target }: RowPlan): Row {
  const own = valuesOf(rounds, ours, figure)
  const others = 'turn' in peer ? valuesOf(rounds, peer, figure) : own.map(() => peer.value)
  const found = spreadOf(own.map((value, round) => value / (others[round] as number)))
  return {
    name,
    unit,
    ours: spreadOf(own),
    peer: { name: peer.name, figure: spreadOf(others) },
    found,
    target,
    verdict: judge(found.median, target),
    cpuMs: { ours: cpuOf(rounds, ours), peer: 'turn' in peer ? cpuOf(rounds, peer) : null }
  }
}

/** A figure that needs no comparison. */
export function count (name: string, unit: string, found: number, target: Target): Row {
  const spread = spreadOf([found])
  return { name, unit, ours: spread, peer: null, found: spread, target, verdict: judge(found, target) }
}

function judge (found: number, target: Target | null): Row['verdict'] {
  if (target === null) return 'shown'
  return found >= (target.atLeast ?? -Infinity) && found <= (target.atMost ?? Infinity) ? 'kept' : 'MISSED'
}

function valuesOf (rounds: Rounds, side: Side, figure: string): number[] {
  return (rounds.get(side) ?? []).map(figures => {
    const value = figures[figure]
    if (value === undefined) throw new Error(`${side.name} has measured no ${figure}`)
    return value
  })
}

function cpuOf (rounds: Rounds, side: Side): number | null {
  const values = (rounds.get(side) ?? []).flatMap(({ cpuMs }) => cpuMs === undefined ? [] : [cpuMs])
  return values.length === 0 ? null : spreadOf(values).median
}
