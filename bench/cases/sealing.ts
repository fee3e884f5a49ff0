// What sealing the audit costs: creates on two brokers that differ in nothing but the sealer. Each has a database of its own on one
// server, so that the events of the one are no work for the other.
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { compare, inTurns, type Side } from '../contest.ts'
import { using } from '../surroundings.ts'
import { CONCURRENCY, creates, warmUpCreates } from './creates.ts'
import type { Group } from './group.ts'

/** The promise: sealing takes at most a tenth of the creates. */
const LEAST_LEFT = 0.9
const POLL_MS = 100

export const sealing: Group = {
  name: 'sealing',
  onlyByName: true,
  run: async ({ database, upstream, startBroker }, { warmUp, sealing: { rounds, turnMs } }, tell) => await using(async keep => {
    const [sealed, unsealed] = [await database.another('sealed'), await database.another('unsealed')]
    const withSealer = await keep(startBroker({ databaseUrl: sealed }))
    const without = await keep(startBroker({ databaseUrl: unsealed, environment: { AUDIT_SEAL_INTERVAL_MS: '0' } }))
    tell('warming up')
    await upstream.setLatency(0)
    for (const broker of [withSealer, without]) await warmUpCreates(broker, warmUp)
    // What is left to seal is work of the turn that made it, not of the next.
    const afterSeals = ({ name, turn }: Side): Side => ({ name, turn: async () => { await untilSealed(sealed); return await turn() } })
    const ours = afterSeals(creates('with the sealer', withSealer, CONCURRENCY, turnMs))
    const peer = afterSeals(creates('without', without, CONCURRENCY, turnMs))
    const measured = await inTurns([ours, peer], rounds, tell)
    return {
      rows: [compare(measured, { name: 'create with the sealer of the audit / without', figure: 'perSecond', unit: '/s', ours, peer, target: { atLeast: LEAST_LEFT } })]
    }
  })
}

async function untilSealed (databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const open = 'SELECT (SELECT count(*) FROM audit_event) = (SELECT count(*) FROM audit_seal) AS sealed'
    while ((await client.query<{ sealed: boolean }>(open)).rows[0]?.sealed !== true) await wait(POLL_MS)
  } finally {
    await client.end()
  }
}
