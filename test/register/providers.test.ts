// Tenants beside the default one: an issuer, metadata, tokens and addresses of their own, under /t/<provider>.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { request } from '../support/broker.ts'
import { isOAuthFailure } from './failure.ts'
import { SECOND_PROVIDER, nativeClient, ownedBy, startPreparedBroker } from './prepared-broker.ts'

t.test('providers', async t => {
  const broker = await startPreparedBroker(t, { secondProvider: true, environment: { REGISTRATION_MODE: 'open' } })
  const { url, mint, register, manage, simulator, database, settings } = broker
  const second = `${url}/t/${SECOND_PROVIDER}`
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const tenantOf = async (name: string) => (await database.query<{ tenant_id: string }>('SELECT tenant_id FROM provider WHERE name = $1', [name])).rows[0]?.tenant_id ?? ''

  t.test('a second provider has an issuer of its own and the endpoints of its tenant, wherever its metadata is looked for', async t => {
    const issuer = `${settings.publicListener.url}/t/${SECOND_PROVIDER}`
    const tenantId = await tenantOf(SECOND_PROVIDER)
    const paths = ['/.well-known/oauth-authorization-server/t/sales', '/.well-known/openid-configuration/t/sales', '/t/sales/.well-known/openid-configuration']
    for (const path of paths) {
      const { status, body } = await request(`${url}${path}`, 'GET')
      t.equal(status, 200, path)
      t.match(body, { issuer, registration_endpoint: `${issuer}/register` })
      t.match(body.token_endpoint, tenantId, path)
      t.notMatch(JSON.stringify(body), simulator.tenantId)
    }
    const { body } = await request(`${url}/.well-known/oauth-authorization-server`, 'GET')
    t.equal(body.issuer, settings.publicListener.url)
    t.match(body.token_endpoint, simulator.tenantId)
  })

  t.test('the default provider has no second name, and an unknown one is not there', async t => {
    for (const name of ['default', 'nobody', 'Sales', 'sales%2F']) {
      for (const token of [(await mint()).token, null]) {
        const answer = await request(`${url}/t/${name}/register`, 'POST', nativeClient(), token === null ? {} : bearer(token))
        isOAuthFailure(t, answer, 404, 'not_found', name)
      }
    }
    for (const name of ['default', 'nobody']) {
      for (const path of [`/.well-known/oauth-authorization-server/t/${name}`, `/t/${name}/.well-known/openid-configuration`]) {
        t.equal((await request(`${url}${path}`, 'GET')).status, 404, path)
      }
    }
  })

  t.test('a token of the default provider registers nothing at the second, and the other way round', async t => {
    const [first, other] = [(await mint()).token, (await mint({ providerName: SECOND_PROVIDER })).token]
    isOAuthFailure(t, await request(`${second}/register`, 'POST', nativeClient(), bearer(first)), 401, 'invalid_token')
    isOAuthFailure(t, await register(nativeClient(), other), 401, 'invalid_token')
    t.equal((await register(nativeClient(), first)).status, 201)
    const preview = await request(`${second}/register?dry_run=true`, 'POST', nativeClient(), bearer(other))
    t.equal(preview.status, 200, 'positive control')
  })

  t.test('a client is managed at its own provider only', async t => {
    const client = ownedBy(await register(nativeClient(), null))
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const body = method === 'PUT' ? { ...nativeClient(), client_id: client.id } : undefined
      isOAuthFailure(t, await request(`${second}/register/${client.id}`, method, body, bearer(client.token)), 401, 'invalid_token', method)
      isOAuthFailure(t, await request(`${url}/t/default/register/${client.id}`, method, body, bearer(client.token)), 404, 'not_found', method)
    }
    t.equal((await manage('GET', client.uri, client.token)).status, 200)
    t.match(client.uri, new RegExp(`^${settings.publicListener.url}/register/`))
  })

  t.test('a provider without a credential answers that its operator has to act, and nothing is left', async t => {
    const { token } = await mint({ providerName: SECOND_PROVIDER })
    const tenantId = await tenantOf(SECOND_PROVIDER)
    for (const headers of [bearer(token), {}]) {
      const answer = await request(`${second}/register`, 'POST', nativeClient({ client_name: randomUUID() }), headers)
      isOAuthFailure(t, answer, 502, 'server_error')
      t.match(answer.body.error_description, /operator/)
    }
    t.equal(simulator.control.state(tenantId).applications.filter(application => JSON.stringify(application).includes('dcr-broker')).length, 0)
    t.same((await database.query("SELECT FROM registration r JOIN provider p ON p.id = r.provider_id WHERE p.name = 'sales' AND r.state = 'active'")).rowCount, 0)
  })
})
