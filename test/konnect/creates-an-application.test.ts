import t from 'tap'
import { konnectApplication, startTestBroker } from '../support/broker.ts'

t.test('an application created in Konnect is an Entra application with a principal, a password and a sealed row', async t => {
  const { konnect, simulator, database } = await startTestBroker(t)
  const answer = await konnect('POST', '', konnectApplication())
  t.equal(answer.status, 201)
  console.error(answer.body)
  const state = simulator.control.state()
  t.equal(state.applications.filter(application => JSON.stringify(application).includes('dcr-broker')).length, 1)
  const { rows } = await database.query('SELECT state, client_id, delivery FROM registration')
  t.match(rows, [{ state: 'active', client_id: answer.body.client_id }])
})
