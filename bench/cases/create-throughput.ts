// Creates against an upstream that answers at once, beside bridges that keep nothing and beside PostgreSQL alone.
import { compare, inTurns, type RowPlan } from '../contest.ts'
import { startWorker } from '../peer.ts'
import { using } from '../surroundings.ts'
import { warmUp } from '../warm-up.ts'
import { CONCURRENCY, creates, startBridge, warmUpCreates } from './creates.ts'
import type { Group } from './group.ts'

export const createThroughput: Group = {
  name: 'create-throughput',
  run: async (surroundings, extent, tell) => await using(async keep => {
    const broker = await keep(surroundings.startBroker())
    const [bridge, kongs] = [await keep(startBridge(surroundings, 3)), await keep(startBridge(surroundings, 1))]
    const postgres = await keep(startWorker('postgres-floor', { DATABASE_URL: await surroundings.database.another('floor') }))
    tell('warming up')
    await surroundings.upstream.setLatency(0)
    for (const process of [broker, bridge, kongs]) await warmUpCreates(process, extent.warmUp)
    const commits = async (durationMs: number) => await postgres.work(CONCURRENCY, durationMs)
    await warmUp(commits, extent.warmUp)

    const { turnMs } = extent
    const ours = creates('broker', broker, CONCURRENCY, turnMs)
    const threeCalls = creates('bridge, 3 calls', bridge, CONCURRENCY, turnMs)
    const oneCall = creates('bridge, 1 call', kongs, CONCURRENCY, turnMs)
    const floor = { name: 'PostgreSQL, 2 commits', turn: async () => await commits(turnMs) }
    const measured = await inTurns([ours, threeCalls, oneCall, floor], extent.rounds, tell)

    const throughput = { figure: 'perSecond', unit: '/s', ours }
    const plans: RowPlan[] = [
      { name: 'create, instant upstream / bridge', ...throughput, peer: threeCalls, target: { atLeast: 0.6 } },
      { name: 'create, instant upstream / bridge of 1 call', ...throughput, peer: oneCall, target: null },
      { name: 'create, instant upstream / PostgreSQL', ...throughput, peer: floor, target: { atLeast: 0.2 } }
    ]
    return { rows: plans.map(plan => compare(measured, plan)) }
  })
}
