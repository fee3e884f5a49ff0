// Management (RFC 7592): the registration access token, which outlives a lost answer, and the document, which PUT replaces.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { request } from '../support/broker.ts'
import { databaseHaystacks, searchLeaks } from '../support/leak-search.ts'
import { isOAuthFailure } from './failure.ts'
import { applicationOf, nativeClient, ownedBy, startPreparedBroker, tokenOutcome, webClient, type Owned } from './prepared-broker.ts'

const SERVER_MEMBERS = ['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at']
const INVALID = 'Bearer realm="dcr-broker", error="invalid_token"'

t.test('management', async t => {
  t.jobs = 4
  const broker = await startPreparedBroker(t, {
    policies: { settled: { rotateManagementToken: false } },
    scopes: ({ control }) => {
      const { appId, scopeIds } = control.addResource({ displayName: 'Orders API', identifierUris: ['api://orders'], scopes: ['Orders.Read'] })
      return [{ name: 'orders:read', resourceAppId: appId, permissionId: String(scopeIds['Orders.Read']), type: 'Scope', granted: false }]
    }
  })
  const { register, manage, simulator, database, url, mint } = broker
  const replace = async ({ id, uri }: Owned, token: string, document: Record<string, unknown> = webClient()) =>
    await manage('PUT', uri, token, { ...document, client_id: id })
  const statusOf = async ({ uri }: Owned, token: string) => (await manage('GET', uri, token)).status

  t.test('of a token only its hash is kept, before and after it is rotated', async t => {
    const client = ownedBy(await register(webClient()))
    const { token } = ownedBy(await replace(client, client.token))
    const planted = 'dcr_rat_planted_canary_of_this_test'
    await database.query("INSERT INTO audit_event (id, at, actor, action, outcome, detail) VALUES ($1, now(), 'test', 'canary', 'ok', jsonb_build_object('t', $2::text))", [randomUUID(), planted])
    const haystacks = await databaseHaystacks(database)
    const leaks = searchLeaks(new Map([['first', client.token], ['second', token], ['planted', planted]]), haystacks)
    t.same([...new Set(leaks.map(({ secret }) => secret))], ['planted'], 'positive control')
    t.same(searchLeaks(new Map([['first', client.token], ['second', token]]), [{ name: 'log', bytes: Buffer.from(broker.logLines.join('')) }]), [])
  })

  t.test('GET echoes the token it was shown and changes none', async t => {
    const client = ownedBy(await register(webClient()))
    for (let round = 0; round < 3; round++) {
      const { body } = await manage('GET', client.uri, client.token)
      t.strictSame(body, client.body)
    }
  })

  t.test('PUT answers with a new token, and the one before it lives until the new one is first used', async t => {
    const client = ownedBy(await register(webClient()))
    const { token } = ownedBy(await replace(client, client.token))
    t.not(token, client.token)
    t.match((await manage('GET', client.uri, client.token)).body, { registration_access_token: client.token }, 'the new one is not told')
    t.equal(await statusOf(client, client.token), 200, 'the older one, again')
    t.equal(await statusOf(client, token), 200)
    t.equal(await statusOf(client, client.token), 401)
  })

  t.test('an update with the new token ends the one before it', async t => {
    const client = ownedBy(await register(webClient()))
    const second = ownedBy(await replace(client, client.token))
    const third = ownedBy(await replace(client, second.token))
    t.equal(await statusOf(client, client.token), 401)
    t.equal(await statusOf(client, second.token), 200)
    t.equal(await statusOf(client, third.token), 200)
    t.equal(await statusOf(client, second.token), 401)
  })

  t.test('a refused update with the new token is its first use as well', async t => {
    const client = ownedBy(await register(webClient()))
    const { token } = ownedBy(await replace(client, client.token))
    isOAuthFailure(t, await replace(client, token, webClient({ redirect_uris: [] })), 400, 'invalid_redirect_uri')
    t.equal(await statusOf(client, client.token), 401)
    t.equal(await statusOf(client, token), 200)
  })

  t.test('an update repeated with the older token, because its answer was lost, is answered with one that works', async t => {
    const client = ownedBy(await register(webClient()))
    const lost = ownedBy(await replace(client, client.token))
    const { token } = ownedBy(await replace(client, client.token))
    t.equal(await statusOf(client, lost.token), 401)
    t.equal(await statusOf(client, token), 200)
    t.equal(await statusOf(client, client.token), 401)
  })

  t.test('of two updates at once with the same token both are whole, and one of the two tokens is good', async t => {
    const client = ownedBy(await register(webClient()))
    const names = ['One', 'Other']
    const answers = (await Promise.all(names.map(name => replace(client, client.token, webClient({ client_name: name }))))).map(ownedBy)
    t.strictSame(answers.map(({ body }) => body.client_name), names)
    const { body } = await manage('GET', client.uri, client.token)
    t.equal(applicationOf(simulator, client.id).displayName, body.client_name)
    const statuses: Array<[name: string, status: number]> = []
    for (const { token, body } of answers) statuses.push([body.client_name, await statusOf(client, token)])
    t.same(statuses.filter(([, status]) => status === 200).map(([name]) => name), [body.client_name], 'that of the later one')
    t.equal(await statusOf(client, client.token), 401)
  })

  t.test('where the policy rotates no tokens PUT echoes the one it was shown', async t => {
    const client = ownedBy(await register(webClient(), (await mint({ policyName: 'settled' })).token))
    t.equal(ownedBy(await replace(client, client.token)).token, client.token)
    t.equal(await statusOf(client, client.token), 200)
  })

  t.test('the token of another client, an unknown client and no token are 401', async t => {
    const [client, other] = [ownedBy(await register(webClient())), ownedBy(await register(nativeClient()))]
    const nobody = client.uri.replace(client.id, randomUUID())
    for (const [uri, token] of [[client.uri, other.token], [nobody, client.token], [client.uri, 'dcr_rat_made_up']] as const) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = await manage(method, uri, token, method === 'PUT' ? { ...webClient(), client_id: client.id } : undefined)
        isOAuthFailure(t, answer, 401, 'invalid_token', `${method} ${uri}`)
        t.equal(answer.headers.get('www-authenticate'), INVALID)
      }
    }
    for (const method of ['GET', 'PUT', 'DELETE']) isOAuthFailure(t, await manage(method, client.uri, null), 401, 'invalid_token')
    t.equal(await statusOf(client, client.token), 200)
  })

  t.test('a token in the query or in the body is none', async t => {
    const client = ownedBy(await register(webClient()))
    const address = `${url}${new URL(client.uri).pathname}`
    isOAuthFailure(t, await request(`${address}?access_token=${client.token}`, 'GET'), 401, 'invalid_token')
    isOAuthFailure(t, await request(address, 'PUT', { ...webClient(), client_id: client.id, access_token: client.token }), 401, 'invalid_token')
    isOAuthFailure(t, await request(`${address}?access_token=${client.token}`, 'DELETE'), 401, 'invalid_token')
  })

  t.test('DELETE ends the application, its secret and every token at once', async t => {
    const client = ownedBy(await register(webClient()))
    const { token } = ownedBy(await replace(client, client.token))
    const answer = await manage('DELETE', client.uri, client.token)
    t.strictSame([answer.status, answer.body, answer.headers.get('cache-control')], [204, null, 'no-store'])
    t.equal(applicationOf(simulator, client.id), undefined)
    t.not(await tokenOutcome(simulator, client), 'ok')
    for (const former of [client.token, token]) {
      isOAuthFailure(t, await manage('GET', client.uri, former), 401, 'invalid_token')
      isOAuthFailure(t, await replace(client, former), 401, 'invalid_token')
      isOAuthFailure(t, await manage('DELETE', client.uri, former), 401, 'invalid_token')
    }
  })

  t.test('PUT replaces the document: what is left out is gone, in Entra too', async t => {
    const links = { client_uri: 'https://orders.example.com', tos_uri: 'https://orders.example.com/terms', policy_uri: 'https://orders.example.com/privacy' }
    const full = webClient({ ...links, scope: 'openid orders:read', contacts: ['a@example.com'], software_id: 'orders', 'client_name#ja': '注文' })
    const client = ownedBy(await register(full))
    const before = applicationOf(simulator, client.id)
    t.match(client.body, full)
    t.match(before, { web: { homePageUrl: links.client_uri }, info: { termsOfServiceUrl: links.tos_uri, privacyStatementUrl: links.policy_uri } })
    t.equal(before.requiredResourceAccess.length, 2)

    const replaced = ownedBy(await replace(client, client.token, webClient({ redirect_uris: ['https://orders.example.com/new'] })))
    for (const member of [...Object.keys(links), 'scope', 'contacts', 'software_id', 'client_name#ja']) t.notOk(member in replaced.body, member)
    t.strictSame((await manage('GET', client.uri, replaced.token)).body, replaced.body)
    const after = applicationOf(simulator, client.id)
    for (const link of [after.web.homePageUrl, after.info.termsOfServiceUrl, after.info.privacyStatementUrl]) t.notOk(link, 'no link')
    t.same(after.requiredResourceAccess, [])
    t.same(after.web.redirectUris, ['https://orders.example.com/new'])
    t.strictSame([replaced.id, replaced.secret, replaced.body.client_id_issued_at], [client.id, client.secret, client.body.client_id_issued_at])
  })

  t.test('what was answered can be sent back as it is, but for the members of the server', async t => {
    const client = ownedBy(await register(webClient({ scope: 'openid orders:read', client_uri: 'https://orders.example.com', contacts: ['a@example.com'] })))
    const document = Object.fromEntries(Object.entries(client.body).filter(([member]) => !SERVER_MEMBERS.includes(member)))
    const { body } = await manage('PUT', client.uri, client.token, document)
    t.strictSame({ ...body, registration_access_token: client.token }, client.body)
  })

  t.test('PUT refuses the members of the server, a missing client_id and another one, and changes nothing', async t => {
    const client = ownedBy(await register(webClient()))
    const other = ownedBy(await register(webClient()))
    const document = webClient({ client_name: 'Changed', client_id: client.id })
    const bad: Array<Record<string, unknown>> = [
      { ...document, registration_access_token: client.token },
      { ...document, registration_client_uri: client.uri },
      { ...document, client_secret_expires_at: 0 },
      { ...document, client_id_issued_at: client.body.client_id_issued_at },
      webClient({ client_name: 'Changed' }),
      { ...document, client_id: other.id },
      { ...document, client_id: '' }
    ]
    for (const body of bad) isOAuthFailure(t, await manage('PUT', client.uri, client.token, body), 400, 'invalid_request')
    isOAuthFailure(t, await replace(client, client.token, webClient({ redirect_uris: ['http://evil.example.com/'] })), 400, 'invalid_redirect_uri')
    t.strictSame((await manage('GET', client.uri, client.token)).body, client.body)
    t.equal(applicationOf(simulator, client.id).displayName, 'Orders')
  })

  t.test('another auth method moves the redirect URIs to its platform', async t => {
    const client = ownedBy(await register(webClient()))
    t.same(applicationOf(simulator, client.id).web.redirectUris, ['https://orders.example.com/callback'])
    const replaced = ownedBy(await replace(client, client.token, webClient({ token_endpoint_auth_method: 'none' })))
    const { web, publicClient } = applicationOf(simulator, client.id)
    t.same([web.redirectUris, publicClient.redirectUris], [[], ['https://orders.example.com/callback']])
    await replace(client, replaced.token, webClient({ token_endpoint_auth_method: 'none', entra_platform: 'spa' }))
    const again = applicationOf(simulator, client.id)
    t.same([again.publicClient.redirectUris, again.spa.redirectUris], [[], ['https://orders.example.com/callback']])
  })

  t.test('updates and the end of a client at once leave nothing of it', async t => {
    const client = ownedBy(await register(webClient()))
    const answers = await Promise.all([
      replace(client, client.token, webClient({ client_name: 'One' })),
      manage('DELETE', client.uri, client.token),
      replace(client, client.token, webClient({ client_name: 'Other' }))
    ])
    t.equal(answers[1]?.status, 204)
    t.same(answers.filter(({ status }) => ![200, 204, 401].includes(status)), [])
    t.equal(applicationOf(simulator, client.id), undefined)
    t.equal(await statusOf(client, client.token), 401)
  })
})
