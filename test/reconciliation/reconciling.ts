// A broker whose reconciler runs when the test says so, and Entra behind its back.
import type { Test } from 'tap'
import { graphAs, type Graph } from '../lifecycle/graph.ts'
import { OPERATOR_KEY, request, startTestBroker, konnectApplication, type Answer, type TestBroker, type TestBrokerOptions } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'

/** Nothing is too young, and two runs in a row are two looks. */
export const JUDGES_AT_ONCE = { RECONCILE_INTERVAL_MS: '0', RECONCILE_MIN_AGE_MS: '0', RECONCILE_SECOND_LOOK_MS: '0', RESUME_SCAN_MS: '100' }

export interface Reconciling extends TestBroker {
  operator: (method: string, path: string, body?: unknown, key?: string) => Promise<Answer>
  /** The report of the provider `default` after a run. */
  run: (wish?: { dry_run?: boolean }) => Promise<any>
  report: () => Promise<any>
  /** Graph as an administrator has it in the portal. */
  portal: Graph
  installationId: string
  /** A client of Konnect's, active. */
  newClient: (changes?: Record<string, unknown>) => Promise<Client>
  stateOf: (registrationId: string) => Promise<string>
  auditOf: (action: string) => Promise<Array<{ actor: string, registration_id: string | null, detail: any }>>
}

export interface Client {
  id: string
  clientId: string
  objectId: string
  secret: string
}

export async function startReconciling (t: Test, options: TestBrokerOptions = {}): Promise<Reconciling> {
  const broker = await startTestBroker(t, { ...options, environment: { ...JUDGES_AT_ONCE, ...options.environment } })
  const { operationsUrl, database, konnect, simulator } = broker
  const operator: Reconciling['operator'] = async (method, path, body, key = OPERATOR_KEY) =>
    await request(`${operationsUrl}/v2${path}`, method, body, { authorization: `Bearer ${key}` })
  const report = async () => (await operator('GET', '/reconciliation')).body.data.find(({ provider }: { provider: string }) => provider === 'default')
  const { rows: [installation] } = await database.query<{ id: string }>('SELECT id FROM installation')
  return {
    ...broker,
    operator,
    report,
    run: async (wish = {}) => {
      const { status, body } = await operator('POST', '/reconciliation/run', wish)
      if (status !== 200 && status !== 202) throw new Error(`The run is answered ${status}: ${JSON.stringify(body)}`)
      return await eventually('the run has ended', async () => {
        const shown = await report()
        return shown.running ? null : shown
      })
    },
    portal: await graphAs(simulator, simulator.broker),
    installationId: installation?.id ?? '',
    newClient: async (changes = {}) => {
      const { status, body } = await konnect('POST', '', konnectApplication(changes))
      if (status !== 201) throw new Error(`The create is answered ${status}`)
      const { rows: [row] } = await database.query<{ id: string, object_id: string }>('SELECT id, object_id FROM registration WHERE client_id = $1', [body.client_id])
      return { id: row?.id ?? '', clientId: body.client_id, objectId: row?.object_id ?? '', secret: body.client_secret }
    },
    stateOf: async id => (await database.query<{ state: string }>('SELECT state FROM registration WHERE id = $1', [id])).rows[0]?.state ?? 'none',
    auditOf: async action => (await database.query<{ actor: string, registration_id: string | null, detail: any }>(
      'SELECT actor, registration_id, detail FROM audit_event WHERE action = $1 ORDER BY at', [action])).rows
  }
}

/** As a restored backup has it: these registrations were never there. */
export async function forget ({ database }: Reconciling, ...ids: string[]): Promise<void> {
  for (const table of ['registration_event', 'credential']) await database.query(`DELETE FROM ${table} WHERE registration_id = ANY($1)`, [ids])
  await database.query('DELETE FROM registration WHERE id = ANY($1)', [ids])
}

/** A client whose row is gone, and another one that was registered long after it: no sign of a restore. */
export async function forgetLongAgo (broker: Reconciling): Promise<Client> {
  const lost = await broker.newClient({ client_name: 'Lost' })
  const newer = await broker.newClient({ client_name: 'Newer' })
  await broker.database.query("UPDATE registration SET created_at = now() + interval '10 minutes' WHERE id = $1", [newer.id])
  await forget(broker, lost.id)
  return lost
}
