// The plans that PostgreSQL really chose, told by auto_explain from the sessions of the bench: with the statements as the store sends
// them, and with generic plans where a session has come to those.
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import type { BenchDatabase } from '../database.ts'

/** A table is big when reading it to its end costs so much by the planner's own count: about 40 MB. */
const BIG_COST = 5_000
/** PostgreSQL's log comes through a pipe. */
const SETTLE_MS = 300
// Of the broker's own sessions, not of those that prepare things for the bench.
const HEADER = /^dcr-bench (\S+) dcr-broker LOG: {2}duration: ([\d.]+) ms {2}plan:$/

export interface Plan {
  database: string
  statement: string
  plan: PlanNode
}

export interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Total Cost': number
  Plans?: PlanNode[]
}

export interface PlanLog {
  /** Takes PostgreSQL's log. */
  line (text: string): void
  /** The plans of all statements that sessions of this database execute meanwhile. */
  during (database: string, work: () => Promise<unknown>): Promise<Plan[]>
  /** Logs plans from now on, or no more. */
  set (isOn: boolean): Promise<void>
  close (): Promise<void>
}

/** It takes the log from the server's start; opened before the sessions whose plans are wanted. */
export function createPlanLog (): Pick<PlanLog, 'line'> & { open (database: BenchDatabase): Promise<PlanLog> } {
  const plans: Plan[] = []
  let pending: { database: string, lines: string[] } | null = null
  const flush = (): void => {
    if (pending === null) return
    const { 'Query Text': statement, Plan: plan } = JSON.parse(pending.lines.join('\n')) as { 'Query Text': string, Plan: PlanNode }
    plans.push({ database: pending.database, statement, plan })
    pending = null
  }
  function line (text: string): void {
    if (pending !== null && text.startsWith('\t')) {
      pending.lines.push(text)
      // The object of a plan is indented by the log's tab alone.
      if (text === '\t}') flush()
      return
    }
    const [, database] = HEADER.exec(text) ?? []
    pending = database === undefined ? null : { database, lines: [] }
  }
  return {
    line,
    async open (database) {
      const owner = new pg.Client({ connectionString: database.ownerUrl })
      await owner.connect()
      await owner.query("LOAD 'auto_explain'")
      for (const setting of ["session_preload_libraries = 'auto_explain'", "log_line_prefix = 'dcr-bench %d %a '", "auto_explain.log_format = 'json'"]) {
        await owner.query(`ALTER SYSTEM SET ${setting}`)
      }
      const set = async (isOn: boolean): Promise<void> => {
        await owner.query(`ALTER SYSTEM SET auto_explain.log_min_duration = ${isOn ? 0 : -1}`)
        await owner.query('SELECT pg_reload_conf()')
        await wait(SETTLE_MS)
      }
      await set(false)
      return {
        line,
        set,
        async during (name, work) {
          plans.length = 0
          await set(true)
          try {
            await work()
          } finally {
            await set(false)
          }
          return plans.filter(plan => plan.database === name)
        },
        close: () => owner.end()
      }
    }
  }
}

/** Statements whose plan reads a big table from one end to the other, each once. */
export function readingAll (plans: readonly Plan[]): string[] {
  return [...new Set(plans.filter(({ plan }) => scansOf(plan).length > 0).map(({ statement, plan }) =>
    `reads all of ${scansOf(plan).join(', ')}: ${statement.replaceAll(/\s+/g, ' ').trim()}`))]
}

function scansOf (plan: PlanNode): string[] {
  return nodesOf(plan).filter(node => node['Node Type'] === 'Seq Scan' && node['Total Cost'] >= BIG_COST).flatMap(node => node['Relation Name'] ?? [])
}

function nodesOf (plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]
}
