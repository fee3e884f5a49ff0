// What is timed at both sizes, and what it may cost at the larger one.
import { MAX_NUMBERED_ROW, type ListPosition } from '../../src/listing/query.ts'
import type { RegistrationFilter } from '../../src/registration/browse-port.ts'
import type { Caller } from '../../src/registration/registration.ts'
import { spreadOf, type Spread } from '../statistics.ts'
import type { Subject } from './subject.ts'

const ROUNDS = 60
const SIZE = 100
/** What upkeep claims at once. */
const CLAIMED = 8

export interface Operation {
  name: string
  /** Told, and nothing more: it costs more where there is more, and docs/performance.md says why. */
  isReported?: true
  /** Prepares it; what it resolves to is timed, time and again. */
  prepare (subject: Subject): Promise<() => Promise<unknown>>
}

/** Sees everything. */
export const operator: Caller = {
  id: '00000000-0000-4000-8000-000000000001',
  kind: 'operator',
  name: 'bench',
  providerId: null,
  scopes: ['read'],
  policyId: null,
  maxRegistrations: null
}
const sort = { field: 'createdAt', descending: true } as const

const listed = ({ reader }: Subject, filters: RegistrationFilter[]) => reader.list({ filters, sort, size: SIZE, start: { number: 1 } }, operator)
const pageOf = (filters: RegistrationFilter[]) => async (subject: Subject) => () => listed(subject, filters)

export const operations: Operation[] = [
  { name: 'read a client with its secret (GET /register/{id})', prepare: async subject => readingOf(subject) },
  { name: 'first page', prepare: pageOf([]) },
  {
    name: 'page by cursor, in the middle',
    async prepare (subject) {
      const after = await middleOf(subject)
      return () => subject.reader.list({ filters: [], sort, size: SIZE, start: { after } }, operator)
    }
  },
  {
    name: 'list, by client id',
    async prepare (subject) {
      const { readable } = subject
      let next = 0
      return async () => {
        const { clientId } = readable[next++ % readable.length] ?? missing()
        const { total } = await listed(subject, [{ field: 'clientId', operator: 'in', values: [clientId] }])
        if (total !== 1) throw new Error(`There are ${total} clients of one client id`)
      }
    }
  },
  { name: 'list, by a state that few are in', prepare: pageOf([{ field: 'state', operator: 'in', values: ['drifted'] }]) },
  { name: `claim ${CLAIMED} of what is due`, prepare: async ({ claims }) => () => claims.claimDue(CLAIMED) },
  { name: 'list, by a state that most are in', isReported: true, prepare: pageOf([{ field: 'state', operator: 'in', values: ['active'] }]) },
  {
    name: 'last numbered page',
    isReported: true,
    async prepare ({ reader, rows }) {
      const number = Math.min(rows, MAX_NUMBERED_ROW) / SIZE
      return () => reader.list({ filters: [], sort, size: SIZE, start: { number } }, operator)
    }
  }
]

/** In turns, so that what disturbs the machine disturbs all alike; the first tenth warms up. One spread of milliseconds per subject. */
export async function timeInTurns (works: ReadonlyArray<() => Promise<unknown>>): Promise<Spread[]> {
  const measured = works.map(() => [] as number[])
  for (let round = 0; round < ROUNDS * 1.1; round++) {
    for (const [index, work] of works.entries()) {
      const startedMs = performance.now()
      await work()
      if (round >= ROUNDS * 0.1) measured[index]?.push(performance.now() - startedMs)
    }
  }
  return measured.map(spreadOf)
}

function readingOf ({ core: { registrar }, providerId, readable }: Subject): () => Promise<void> {
  const request = { requestId: 'bench', sourceAddress: null, elapsedMs: 0 }
  // Another one each time, all over the table.
  const step = Math.floor(readable.length * 0.618) | 1
  let next = 0
  return async () => {
    const { clientId, token } = readable[(next += step) % readable.length] ?? missing()
    const holder = await registrar.holderOf(providerId, clientId, token)
    if ((await registrar.readRegistration(holder, request)).clientSecret === null) throw new Error('The answer has no secret')
  }
}

async function middleOf ({ client, rows }: Subject): Promise<ListPosition> {
  const { rows: [row] } = await client.query<{ created_at: Date, id: string }>(
    'SELECT created_at, id FROM registration ORDER BY created_at DESC, id DESC OFFSET $1 LIMIT 1', [Math.floor(rows / 2)])
  return row === undefined ? missing() : { value: row.created_at, id: row.id }
}

function missing (): never {
  throw new Error('There are not so many rows')
}
