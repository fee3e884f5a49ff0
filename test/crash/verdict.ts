// What the crash campaign has found: the histogram of gaps and outcomes, and the four numbers that must be zero.
import type { Answer } from '../support/broker.ts'
import { ourApplications, registrationIdOf } from '../support/entra-truth.ts'
import type { Cluster } from '../faults/cluster.ts'
import { gaps, type Gap } from '../faults/gaps.ts'
import type { Customer } from './customers.ts'

/** A registration that stood in a gap when its replica was killed. */
export interface Placement {
  gap: Gap
  customer: Customer
  /** Of `performance.now()`; -Infinity: it did not come there. */
  reachedAtMs: number
  /** The first request of its customer. */
  sent: Promise<Answer | null>
}

export interface Verdict {
  /** One a gap: its kills, and what became of the registrations. */
  histogram: string[]
  summary: string[]
  /** Of placements, by the gap that has fewest. */
  fewest: number
  /** Sentences; none when every promise is kept. */
  violations: string[]
  /** What is known of those that are named there. */
  evidence: string[]
}

export interface CampaignEnd {
  cluster: Cluster
  customers: readonly Customer[]
  placed: readonly Placement[]
  /** Each a sentence. */
  kills: readonly string[]
  misses: number
  /** Of ours in Entra, the bin included. */
  objects: number
}

interface Row { id: string, state: string, client_name: string, client_id: string | null, delivery: string }

export async function verdict ({ cluster, customers, placed, kills, misses, objects }: CampaignEnd): Promise<Verdict> {
  const { simulator, database, ledger } = cluster
  const { rows } = await database.query<Row>('SELECT id, state, client_name, client_id, delivery FROM registration')
  const live = ourApplications(simulator)
  const liveOf = ({ name }: Customer) => live.filter(({ displayName }) => displayName === name)
  const rowsOf = ({ name }: Customer) => rows.filter(({ client_name: clientName }) => clientName === name)
  const invariants = await cluster.violations()

  const duplicates = customers.filter(customer => liveOf(customer).length > 1).map(({ name }) => `duplicate: ${name} has more than one application`)
  const orphans = [...placed.filter(({ gap, customer }) => customer.tries === 1 && !gap.kept && liveOf(customer).length > 0)
    .map(({ gap, customer }) => `orphan: ${customer.name} was killed ${gap.name}, and nobody asked again`),
  ...live.filter(application => !rows.some(({ id, state }) => id === registrationIdOf(application) && state === 'active'))
    .map(({ displayName }) => `orphan: an application of ${displayName}`),
  ...objects === 2 * live.length ? [] : [`orphan: ${objects} objects of ours in Entra instead of ${2 * live.length}`]]
  const lost = customers.filter(customer => customer.clientId !== null && customer.deletion === 'no' && !liveOf(customer).some(({ appId }) => appId === customer.clientId))
    .map(({ name }) => `lost: ${name} was answered and has no application`)
  lost.push(...placed.filter(({ gap, customer }) => gap.kept && customer.deletion === 'no' && liveOf(customer).length !== 1)
    .map(({ gap, customer }) => `lost: ${customer.name} was killed ${gap.name} and has no application`))
  const undeleted = customers.filter(customer => customer.deletion === 'answered' && liveOf(customer).length > 0).map(({ name }) => `deleted and there: ${name}`)
  const violations = [...duplicates, ...orphans, ...lost, ...undeleted, ...customers.flatMap(({ complaints }) => complaints), ...invariants]
  const concerned = customers.filter(({ name, clientId }) => violations.some(text => text.includes(name) || (clientId !== null && text.includes(clientId))))
  const byName = (prefix: string) => invariants.filter(text => text.startsWith(prefix))

  const outcomeOf = ({ customer }: Placement): string => {
    const states = rowsOf(customer).map(({ state, delivery }) => `${state} (${delivery})`).join(' and ') || 'no row'
    return `${customer.tries === 1 ? 'not repeated' : 'repeated'}: ${states}`
  }
  const perGap = gaps.map(gap => ({ gap, here: placed.filter(placement => placement.gap === gap) }))
  const delivered = ledger.delivered().length
  return {
    histogram: perGap.map(({ gap, here }) => `${gap.name.padEnd(46)} ${String(here.length).padStart(3)} killed: ${counted(here.map(outcomeOf))}`),
    summary: [
      `${kills.length} kills of ${placed.length} registrations in a gap (${misses} more did not stand there in time); ${customers.length} customers, ${ledger.calls.length} requests`,
      `rows: ${counted(rows.map(({ state }) => state))}; ${live.length} applications`,
      `duplicates ${duplicates.length + byName('I1').length}, orphans ${orphans.length + byName('I2').length}, ` +
      `lost mappings ${lost.length + byName('I5').length}, of ${delivered} delivered secrets neither valid nor revoked ${byName('I3').length}`
    ],
    fewest: Math.min(...perGap.map(({ here }) => here.length)),
    violations,
    evidence: [
      ...violations.length > 0 ? kills : [],
      ...concerned.flatMap(({ history }) => history),
      ...await audit(cluster, concerned.flatMap(rowsOf).map(({ id }) => id))
    ]
  }
}

async function audit ({ database }: Cluster, ids: readonly string[]): Promise<string[]> {
  const { rows } = await database.query<{ line: string }>(`
    SELECT concat_ws(' ', registration_id, to_json(at)::text, actor, action, outcome, detail::text) AS line
    FROM audit_event WHERE registration_id = ANY($1) ORDER BY registration_id, at`, [ids])
  return rows.map(({ line }) => line)
}

function counted (texts: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return [...counts].sort(([, one], [, other]) => other - one).map(([text, count]) => `${count} ${text}`).join(', ')
}
