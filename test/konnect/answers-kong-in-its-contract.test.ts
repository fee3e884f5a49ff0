import t from 'tap'
import { konnectApplication, startTestBroker } from '../support/broker.ts'
import { kongContract } from '../support/kong-contract.ts'

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

t.test('every route answers in the closed form of Kong\'s contract', async t => {
  const { konnect } = await startTestBroker(t)
  const fits = kongContract(t)

  const created = await konnect('POST', '', konnectApplication())
  t.equal(created.status, 201)
  t.strictSame(Object.keys(created.body).sort(), ['client_id', 'client_id_issued_at', 'client_secret', 'client_secret_expires_at'])
  t.match(created.body.client_id_issued_at, ISO)
  t.match(created.body.client_secret_expires_at, ISO)
  t.equal(created.headers.get('cache-control'), 'no-store')
  fits('ApplicationResponse', created.body)
  const path = `/${created.body.client_id}`

  const added = await konnect('POST', `${path}/secrets`)
  t.equal(added.status, 201)
  t.match(added.body, { client_id: created.body.client_id, created_at: ISO, expires_at: ISO })
  fits('SecretWithIdResponse', added.body)

  const listed = await konnect('GET', `${path}/secrets`)
  t.equal(listed.status, 200)
  t.strictSame(listed.body.secrets.map((secret: { status: string }) => secret.status), ['ACTIVE', 'ACTIVE'])
  t.equal(listed.body.secrets[1].secret_id, added.body.secret_id)
  for (const secret of listed.body.secrets) t.match(secret, { created_at: ISO, expires_at: ISO })
  fits('SecretListResponse', listed.body)

  const rotated = await konnect('POST', `${path}/new-secret`)
  t.equal(rotated.status, 200)
  t.strictSame(Object.keys(rotated.body).sort(), ['client_id', 'client_secret'])
  fits('SecretResponse', rotated.body)

  const [remaining] = (await konnect('GET', `${path}/secrets`)).body.secrets
  const removed = await konnect('DELETE', `${path}/secrets/${remaining.secret_id}`)
  t.strictSame([removed.status, removed.body], [204, null])

  const bad = await konnect('POST', '', konnectApplication({ redirect_uris: ['http://evil.example'] }))
  t.equal(bad.status, 400)
  fits('BadRequestResponse', bad.body)

  const unauthorized = await konnect('POST', '', konnectApplication(), { 'x-api-key': 'nobody_has_this_key' })
  t.equal(unauthorized.status, 401)
  fits('UnauthorizedResponse', unauthorized.body)

  const deleted = await konnect('DELETE', path)
  t.strictSame([deleted.status, deleted.body], [204, null])
})

t.test('an answer names the request id that its error sentence quotes', async t => {
  const { konnect } = await startTestBroker(t)
  const { headers, body } = await konnect('POST', '/00000000-0000-4000-8000-000000000000/new-secret')
  t.match(body, { error: 'not_found', error_description: headers.get('x-request-id') as string })
})
