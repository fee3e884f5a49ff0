import t from 'tap'
import { konnectApplication, startTestBroker } from '../support/broker.ts'

t.test('an update that Entra refuses is taken back, and what else was due stays due', async t => {
  const { konnect, simulator, database } = await startTestBroker(t, { environment: { REQUEST_DEADLINE_MS: '5000', ATTEMPT_TIMEOUT_MS: '1000', LEASE_MS: '6500' } })
  const { body: { client_id: clientId } } = await konnect('POST', '', konnectApplication())
  simulator.control.lag({ secretDelayMs: 600_000 })
  t.equal((await konnect('POST', `/${clientId}/new-secret`)).status, 200, 'the older secret waits for the proof of the newer one')
  for (const [status, code] of [[400, 'Request_BadRequest'], [403, 'Directory_QuotaExceeded']] as const) {
    const body = { error: { code, message: 'no' } }
    simulator.control.faults.add({ match: { method: 'PATCH', path: 'applications' }, action: { type: 'status', status, body } })
    const refused = await konnect('POST', `/${clientId}/event-hook`, { event_type: 'update_application', application_name: `refused ${code}` })
    t.match(refused, { status: 502, body: { error: 'upstream_error' } })
    // Entra may have taken a part of it: what was before has been sent again.
    const { rows } = await database.query('SELECT client_name, desired_revision = applied_revision AS applied, due_at IS NOT NULL AS due FROM registration')
    t.strictSame(rows, [{ client_name: 'Orders app', applied: true, due: true }])
  }
})
