// The places between two steps of a create where the process can die, and how each is held open until it does.
import type { FaultRule } from '../../src/simulator/faults.ts'
import type { Hold } from '../support/postgres-proxy.ts'

/** What stops an operation at one place: a rule of the simulator, or a statement that the proxy keeps back. */
export type Stop = { fault: FaultRule } | { statement: Hold }

export interface Gap {
  name: string
  stop: Stop
  /** The caller has read its answer when the process dies. */
  answered: boolean
  /** What is left when nobody repeats the request and the window is over. An answer that may have been received is kept. */
  kept: boolean
}

const RESERVE = /INSERT INTO registration \(/
export const SAVE = /WITH held AS/
const MARK = /delivery = m\.delivery/

export const hang = { type: 'hang' } as const

const graphWrites = [
  { name: 'application', match: { method: 'PATCH', path: '/applications\\(uniqueName' } },
  { name: 'principal', match: { method: 'PATCH', path: '/servicePrincipals\\(appId' } },
  { name: 'password', match: { method: 'POST', path: '/addPassword$' } }
]

const cut = (name: string, statement: RegExp, side: Hold['side'], kept: boolean, answered = false): Gap =>
  ({ name, stop: { statement: { statement, side } }, kept, answered })

/** In the order of a create. */
export const gaps: readonly Gap[] = [
  cut('before the reserve commit', RESERVE, 'before', false),
  cut('after the reserve commit', RESERVE, 'after', false),
  ...graphWrites.flatMap(({ name, match }) => (['before', 'after'] as const).map((when): Gap => ({
    name: `${when} Entra has made the ${name}`, stop: { fault: { match, action: hang, when } }, kept: false, answered: false
  }))),
  cut('before the activate commit', SAVE, 'before', false),
  cut('after the activate commit, before the answer', SAVE, 'after', true),
  cut('after the answer, before its mark', MARK, 'before', true, true)
]
