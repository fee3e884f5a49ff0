// The places between two steps of a create where the process can die (F1 to F5), and how each is held open until it does.
import type { Hold } from '../support/postgres-proxy.ts'
import { ADD_PASSWORD, APPLICATION, hang, MARK, PRINCIPAL, RESERVE, SAVE, type Stop } from './stops.ts'

export interface Gap {
  name: string
  stop: Stop
  /** The caller has read its answer when the process dies. */
  answered: boolean
  /** What is left when nobody repeats the request and the window is over. An answer that may have been received is kept. */
  kept: boolean
}

const graphWrites = [
  { object: 'application', match: APPLICATION, numbers: { before: 'F1', after: 'F2' } },
  { object: 'principal', match: PRINCIPAL, numbers: { before: 'F2', after: 'F3' } },
  { object: 'password', match: ADD_PASSWORD, numbers: { before: 'F3', after: 'F4' } }
]

const cut = (name: string, statement: RegExp, side: Hold['side'], kept: boolean, answered = false): Gap =>
  ({ name, stop: { statement: { statement, side } }, kept, answered })

/** In the order of a create. The number is of the fault: what was the last thing done when the process died. */
export const gaps: readonly Gap[] = [
  cut('before the reserve commit', RESERVE, 'before', false),
  cut('F1 after the reserve commit', RESERVE, 'after', false),
  ...graphWrites.flatMap(({ object, match, numbers }) => (['before', 'after'] as const).map((when): Gap => ({
    name: `${numbers[when]} ${when} Entra has made the ${object}`, stop: { fault: { match, action: hang, when } }, kept: false, answered: false
  }))),
  cut('F4 before the activate commit', SAVE, 'before', false),
  cut('F5 after the activate commit, before the answer', SAVE, 'after', true),
  cut('F5 after the answer, before its mark', MARK, 'before', true, true)
]
