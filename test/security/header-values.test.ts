// What the API behind a gateway is told of its client, in headers: no value of anybody's becomes another header.
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { basic, startTestGateway } from '../support/gateway.ts'

const STRANGER = '01a20951-0000-4000-8000-0000000000c1'

t.test('S38 whatever is stored of a client comes to the API behind a gateway as visible ASCII of one header each', async t => {
  const { registerClient, verify, database } = await startTestGateway(t)
  const { clientId, clientSecret } = await registerClient()
  const hostile = 'a\r\nx-admin: 1\t\u2028\u00e9\u{1F600}%0d%0a,;"'
  await database.query(`UPDATE registration SET application_id = $1, konnect = konnect || jsonb_build_object('developerId', $1::text),
    metadata = metadata || jsonb_build_object('scopes', jsonb_build_array($1::text, 'openid')) WHERE client_id = $2`, [hostile, clientId])
  const expected = `${encodeURIComponent(hostile).replaceAll('%2C', ',').replaceAll('%3B', ';').replaceAll('%22', '"').replaceAll('%3A', ':')}`
  const told = await eventually('the change is known', async () => {
    const { status, headers } = await verify({ ...basic({ clientId, clientSecret }), 'x-admin': '1', 'x-client-id': STRANGER })
    return status === 200 && headers.get('x-application-id') !== '' ? Object.fromEntries(headers) : null
  }, 2_000)
  t.match(told, { 'x-client-id': clientId, 'x-application-id': expected, 'x-developer-id': expected, 'x-scopes': `${expected} openid` })
  t.notOk('x-admin' in told)
  await database.query('UPDATE registration SET application_id = NULL, konnect = NULL, metadata = metadata || \'{"scopes":[]}\' WHERE client_id = $1', [clientId])
  await eventually('none of them is left out when it is empty: a gateway that copies it overwrites what a client has made up', async () => {
    const { headers } = await verify(basic({ clientId, clientSecret }))
    return ['x-application-id', 'x-developer-id', 'x-scopes'].every(name => headers.get(name) === '')
  }, 2_000)
})
