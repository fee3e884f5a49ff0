import t from 'tap'
import { konnectApplication, startTestBroker } from '../support/broker.ts'

t.test('a client has five secrets at most; one that is deleted makes room, and the last may be deleted too', async t => {
  const { konnect, simulator } = await startTestBroker(t)
  const { body: { client_id: clientId } } = await konnect('POST', '', konnectApplication())
  const path = `/${clientId}/secrets`
  for (let count = 2; count <= 5; count++) t.equal((await konnect('POST', path)).status, 201, `secret ${count}`)
  const asked = simulator.control.journal.entries({ path: 'addPassword' }).length
  t.match(await konnect('POST', path), { status: 400, body: { error: 'secret_limit_reached', error_description: /5 secrets, which is the limit/ } })
  t.equal(simulator.control.journal.entries({ path: 'addPassword' }).length, asked, 'Graph was not asked')

  const { body: { secrets } } = await konnect('GET', path)
  t.equal((await konnect('DELETE', `${path}/${secrets[0].secret_id}`)).status, 204)
  t.equal((await konnect('DELETE', `${path}/${secrets[0].secret_id}`)).status, 204, 'already gone is success')
  t.equal((await konnect('POST', path)).status, 201)
  for (const { secret_id: secretId } of (await konnect('GET', path)).body.secrets) t.equal((await konnect('DELETE', `${path}/${secretId}`)).status, 204)
  t.strictSame((await konnect('GET', path)).body, { secrets: [] })
  t.equal((await konnect('DELETE', `${path}/11111111-1111-4111-8111-111111111111`)).status, 404, 'a secret nobody made')
})
