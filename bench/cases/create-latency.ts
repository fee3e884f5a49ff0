// Creates beside Entra's own time: three calls of 50 ms each.
import { compare, inTurns, type RowPlan } from '../contest.ts'
import { using } from '../surroundings.ts'
import { creates, startBridge, warmUpCreates } from './creates.ts'
import type { Group } from './group.ts'

const UPSTREAM_MS = 50
const CALLS = 3
const MANY = 64

export const createLatency: Group = {
  name: 'create-latency',
  run: async (surroundings, { warmUp, rounds, turnMs }, tell) => await using(async keep => {
    const broker = await keep(surroundings.startBroker())
    const bridge = await keep(startBridge(surroundings, CALLS))
    const { upstream } = surroundings
    tell('warming up')
    await upstream.setLatency(0)
    for (const process of [broker, bridge]) await warmUpCreates(process, warmUp)
    await upstream.setLatency(UPSTREAM_MS)

    const [one, many] = [creates('broker, 1 at once', broker, 1, turnMs), creates(`broker, ${MANY} at once`, broker, MANY, turnMs)]
    const [bridgeOne, bridgeMany] = [creates('bridge, 1 at once', bridge, 1, turnMs), creates(`bridge, ${MANY} at once`, bridge, MANY, turnMs)]
    const measured = await inTurns([one, bridgeOne, many, bridgeMany], rounds, tell)
    const { meanHoldMs } = await upstream.setLatency(0)

    const nominal = { name: `${CALLS} x ${UPSTREAM_MS} ms`, value: CALLS * UPSTREAM_MS }
    const median = { figure: 'p50Ms', unit: 'ms' }
    const p99 = { figure: 'p99Ms', unit: 'ms' }
    const plans: RowPlan[] = [
      { name: 'create, 50 ms a call, 1 at once: median', ...median, ours: one, peer: nominal, target: { atMost: 1.05 } },
      { name: 'create, 50 ms a call, 64 at once: p99', ...p99, ours: many, peer: nominal, target: { atMost: 1.25 } },
      { name: 'create, 50 ms a call, 64 at once: median', ...median, ours: many, peer: nominal, target: null },
      // What of it is the machine's and the timers': a bridge that does nothing but these calls.
      { name: 'stateless bridge instead, 1 at once: median', ...median, ours: bridgeOne, peer: nominal, target: null },
      { name: 'stateless bridge instead, 64 at once: p99', ...p99, ours: bridgeMany, peer: nominal, target: null }
    ]
    return {
      rows: plans.map(plan => compare(measured, plan)),
      notes: [`The stub held its answers for ${meanHoldMs.toFixed(1)} ms instead of ${UPSTREAM_MS}: timers are never early. Targets are for ${UPSTREAM_MS}.`]
    }
  })
}
