// DCR providers over the operations API: what is accepted, what is refused and why, and what becomes of it.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { KONNECT_KEY, OPERATOR_KEY, konnectApplication, request, startTestBroker } from '../support/broker.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { selfSigned } from '../entra/self-signed.ts'
import { databaseHaystacks, searchLeaks } from '../support/leak-search.ts'

t.test('DCR providers', async t => {
  const broker = await startTestBroker(t, { environment: { LOG_LEVEL: 'trace' } })
  const second = await startSimulator()
  t.teardown(() => second.close())
  const { database, operationsUrl, logLines } = broker
  const api = async (method: string, path = '', body?: unknown) =>
    await request(`${operationsUrl}/v2/dcr-providers${path}`, method, body, { authorization: `Bearer ${OPERATOR_KEY}` })
  const config = { initial_client_id: second.broker.clientId, initial_client_secret: second.broker.clientSecret }
  const issuer = `${second.url}/${second.tenantId}/v2.0`
  const wanted = (changes: object = {}) => ({ provider_type: 'azureAd', name: `p-${randomUUID()}`, issuer, dcr_config: config, ...changes })
  const make = async (changes: object = {}) => {
    const { status, body } = await api('POST', '', wanted(changes))
    if (status !== 201) throw new Error(JSON.stringify(body))
    return body as { id: string, name: string }
  }
  const environments = async () => (await api('GET', '?filter[origin]=environment')).body.data[0]
  const audited = async (action: string) => (await database.query<{ text: string }>('SELECT audit_event::text AS text FROM audit_event WHERE action = $1', [action])).rows

  t.test('Konnect\'s create is taken, and answered without the secret', async t => {
    const { status, body } = await api('POST', '', wanted({ name: 'Azure sales', display_name: 'Sales', labels: { team: 'sales' } }))
    t.equal(status, 201)
    t.strictSame(Object.keys(body).sort(), [
      'active', 'authority_host', 'created_at', 'credential', 'dcr_config', 'display_name', 'graph_base_url', 'id', 'issuer', 'labels', 'name', 'origin', 'provider_type', 'tenant_id', 'updated_at'
    ])
    t.match(body, {
      name: 'Azure sales',
      display_name: 'Sales',
      provider_type: 'azureAd',
      issuer,
      active: false,
      dcr_config: { initial_client_id: second.broker.clientId },
      labels: { team: 'sales' },
      origin: 'database',
      tenant_id: second.tenantId,
      authority_host: second.url,
      graph_base_url: second.url,
      credential: { kind: 'secret', hint: second.broker.clientSecret.slice(0, 3), expires_at: null, verified_at: null }
    })
    t.strictSame((await api('GET', `/${body.id}`)).body, body)
    const { rows } = await database.query('SELECT origin, issuer, token_version, credential_claim FROM auth_strategy WHERE provider_id = $1 AND is_default', [body.id])
    t.match(rows, [{ origin: 'database', issuer, token_version: 2, credential_claim: ['azp'] }])
    t.equal((await database.query("SELECT FROM caller WHERE provider_id = $1 AND kind = 'anonymous'", [body.id])).rowCount, 1)
    t.equal((await api('DELETE', `/${body.id}`)).status, 204)
  })

  t.test('what can\'t be accepted is named', async t => {
    const { name } = await make()
    const cases: Array<[object, number, string | null, RegExp]> = [
      [{ provider_type: 'Azure' }, 400, 'provider_type', /must be equal to one of/],
      [{ issuer: 'https://sts.windows.net/common/' }, 400, 'issuer', /\[common\]/],
      [{ issuer: `https://evil.example/${second.tenantId}/v2.0` }, 400, 'issuer', /evil\.example/],
      [{ authority_host: 'https://evil.example' }, 400, 'authority_host', /sign-in host/],
      [{ dcr_config: { ...config, initial_client_audience: null } }, 400, 'dcr_config.initial_client_audience', /takes no audience/],
      [{ dcr_config: { ...config, initial_client_id: 'broker' } }, 400, 'dcr_config.initial_client_id', /pattern/],
      [{ dcr_config: { initial_client_id: config.initial_client_id } }, 400, 'dcr_config.initial_client_secret', /credential is needed/],
      [{ dcr_config: { ...config, initial_client_federated: true } }, 400, 'dcr_config', /Exactly one/],
      [{ dcr_config: { initial_client_id: config.initial_client_id, initial_client_federated: true } }, 400, 'dcr_config.initial_client_federated', /AZURE_FEDERATED_TOKEN_FILE is not set/],
      [{ dcr_config: { initial_client_id: config.initial_client_id, initial_client_certificate: selfSigned().certificate } }, 400, 'dcr_config.initial_client_certificate', /no private key/],
      [{ dcr_config: { ...config, dcr_token: 'x' } }, 400, 'dcr_config.dcr_token', /not a parameter/],
      [{ active: true }, 400, 'active', /not a parameter/],
      [{ name: 'a/b' }, 400, 'name', /pattern/],
      [{ labels: { kong: 'x' } }, 400, 'labels', /.+/],
      [{ name }, 409, null, /name already/]
    ]
    for (const [changes, status, field, reason] of cases) {
      const answer = await api('POST', '', wanted(changes))
      t.equal(answer.status, status, JSON.stringify(Object.keys(changes)))
      if (field === null) t.match(answer.body.detail, reason)
      else t.match(answer.body.invalid_parameters?.[0], { field, reason })
    }
  })

  t.test('the list is filtered and sorted as Konnect\'s', async t => {
    const names = ['list-b', 'list-a', 'list-c']
    for (const name of names) await make({ name, labels: { list: 'yes' } })
    const list = async (query: string) => (await api('GET', `?${query}`)).body.data.map(({ name }: { name: string }) => name)
    t.strictSame(await list('filter[labels.list]=yes&sort=name'), ['list-a', 'list-b', 'list-c'])
    t.strictSame(await list('filter[labels.list]=yes&sort=name desc&page[size]=2'), ['list-c', 'list-b'])
    t.strictSame(await list('filter[name][contains]=LIST-&sort=created_at'), names)
    t.strictSame(await list(`filter[name]=list-a&filter[issuer][contains]=${second.tenantId}&filter[provider_type]=azureAd&filter[initial_client_id]=${second.broker.clientId}`), ['list-a'])
    t.strictSame(await list('filter[provider_type][neq]=azureAd'), [])
    t.equal((await api('GET', '?sort=secret')).status, 400)
    const { body: { meta } } = await api('GET', '?filter[labels.list]=yes&sort=issuer&page[size]=2')
    t.match(meta, { page: { total: 3, size: 2 } })
    t.equal((await request(`${operationsUrl}${meta.page.next}`, 'GET', undefined, { authorization: `Bearer ${OPERATOR_KEY}` })).body.data.length, 1)
  })

  t.test('a change is sparse, a null takes a label away, and the type stays', async t => {
    const { id, name } = await make({ labels: { a: '1', b: '2' }, display_name: 'Before' })
    const changed = await api('PATCH', `/${id}`, { labels: { a: null, c: '3' }, display_name: null, provider_type: 'azureAd' })
    t.match(changed, { status: 200, body: { name, display_name: null, labels: { b: '2', c: '3' }, dcr_config: { initial_client_id: second.broker.clientId } } })
    t.notHas(changed.body.labels, 'a')
    t.match(await api('PATCH', `/${id}`, { provider_type: 'okta' }), { status: 400, body: { invalid_parameters: [{ field: 'provider_type', reason: /can't be changed/ }] } })
    t.match(await api('PATCH', `/${id}`, { name: 'default' }), { status: 409 })
    t.equal((await api('PATCH', `/${id}`, {})).status, 200)
    t.equal((await api('PATCH', `/${randomUUID()}`, {})).status, 404)
  })

  t.test('Konnect\'s way to rotate: a new secret takes the place of the former one, which is erased', async t => {
    const { id } = await make()
    const [before] = (await api('GET', `/${id}/credentials`)).body.data
    const answer = await api('PATCH', `/${id}`, { dcr_config: { initial_client_secret: 'new~secret-of-the-broker', initial_client_secret_expires_at: '2031-01-02T03:04:05Z' } })
    t.match(answer, { status: 200, body: { credential: { hint: 'new', expires_at: '2031-01-02T03:04:05.000Z', verified_at: null } } })
    t.match((await api('GET', `/${id}/credentials`)).body.data, [{ state: 'active', hint: 'new' }])
    const { rows } = await database.query('SELECT state, seal_ciphertext FROM provider_credential WHERE id = $1', [before.id])
    t.strictSame(rows, [{ state: 'removed', seal_ciphertext: null }])
    t.match(await api('PATCH', `/${id}`, { dcr_config: { initial_client_id: randomUUID() } }), { status: 400, body: { invalid_parameters: [{ field: 'dcr_config.initial_client_id', reason: /its own credential/ }] } })
    t.match(await api('PATCH', `/${id}`, { dcr_config: { initial_client_secret_expires_at: '2031-01-02T03:04:05Z' } }), { status: 400 })
  })

  t.test('another tenant needs a credential of its own, brings its default strategy along, and is refused while there are registrations', async t => {
    const { id } = await make()
    const other = `https://sts.windows.net/${randomUUID()}/`
    t.match(await api('PATCH', `/${id}`, { issuer: other }), { status: 400, body: { invalid_parameters: [{ field: 'issuer', reason: /its own credential/ }] } })
    const moved = await api('PATCH', `/${id}`, { issuer: other, authority_host: second.url, dcr_config: { initial_client_secret: 'secret-of-the-other' } })
    t.match(moved, { status: 200, body: { issuer: other, authority_host: second.url } })
    const { rows } = await database.query('SELECT issuer, token_version, credential_claim FROM auth_strategy WHERE provider_id = $1', [id])
    t.strictSame(rows, [{ issuer: other, token_version: 1, credential_claim: ['appid'] }])
  })

  t.test('a credential that stands by for one place is erased by a move, and never shown to another', async t => {
    const { id } = await make()
    const { body: standby } = await api('POST', `/${id}/credentials`, { kind: 'secret', secret: 'standby~for-the-first-place' })
    const { status } = await api('PATCH', `/${id}`, { issuer: `${broker.simulator.url}/${second.tenantId}/v2.0`, dcr_config: { initial_client_secret: 'of-the-other-place' } })
    t.equal(status, 200)
    for (const action of ['verify', 'activate?force=true']) {
      t.equal((await api('POST', `/${id}/credentials/${standby.id}/${action}`)).status, 404, action)
    }
    t.strictSame((await database.query('SELECT state, seal_ciphertext FROM provider_credential WHERE id = $1', [standby.id])).rows, [{ state: 'removed', seal_ciphertext: null }])
  })

  t.test('credentials stand by, are activated once verified or by force, and are erased', async t => {
    const { id } = await make()
    const add = async (body: object) => await api('POST', `/${id}/credentials`, body)
    const certificate = selfSigned()
    const added = await add({ kind: 'certificate', certificate: certificate.key + certificate.certificate, client_id: second.broker.clientId })
    t.match(added, { status: 201, body: { state: 'standby', kind: 'certificate', hint: /^[0-9a-f]{64}$/, expires_at: /^20\d\d-/, activated_at: null } })
    const path = `/${id}/credentials/${added.body.id}`
    t.match(await api('POST', `${path}/activate`), { status: 409, body: { detail: /never passed a verification/ } })
    const [active] = (await api('GET', `/${id}/credentials`)).body.data
    t.match(await api('DELETE', `/${id}/credentials/${active.id}`), { status: 409, body: { detail: /in use/ } })
    t.match(await api('POST', `${path}/activate?force=true`), { status: 200, body: { state: 'active' } })
    t.match((await api('GET', `/${id}`)).body.credential, { id: added.body.id, kind: 'certificate' })
    t.equal((await api('DELETE', `/${id}/credentials/${active.id}`)).status, 204)
    t.equal((await api('DELETE', `/${id}/credentials/${active.id}`)).status, 404)
    t.equal((await api('GET', `/${id}/credentials`)).body.data.length, 1)
    t.strictSame((await database.query('SELECT seal_kid FROM provider_credential WHERE id = $1', [active.id])).rows, [{ seal_kid: null }])
    const bad: Array<[object, string]> = [
      [{ kind: 'secret' }, 'secret'], [{ kind: 'certificate' }, 'certificate'], [{ kind: 'federated', secret: 'x' }, 'secret'], [{ kind: 'federated' }, 'kind'],
      [{ kind: 'certificate', certificate: certificate.certificate }, 'certificate'], [{ kind: 'secret', secret: 'a b' }, 'secret']
    ]
    for (const [body, field] of bad) t.match(await add(body), { status: 400, body: { invalid_parameters: [{ field }] } }, JSON.stringify(body).slice(0, 60))
    for (const action of ['credential_added', 'credential_activated', 'credential_removed']) t.ok((await audited(`provider.${action}`)).length > 0, action)
  })

  t.test('a provider in use is not deleted, unless by force: then its callers are revoked and its registrations stay', async t => {
    const { id, name } = await make()
    await api('POST', '', wanted({ name: 'beside' }))
    await database.query("UPDATE caller SET provider_id = $1 WHERE name = 'KONNECT_API_KEYS[1]'", [id])
    t.match((await api('PATCH', `/${id}`, {})).body, { active: true })
    t.match(await api('DELETE', `/${id}`), { status: 409, body: { detail: /in use: 1 callers\. .*force=true/ } })
    const made = await request(`${broker.url}/konnect`, 'POST', konnectApplication(), { 'x-api-key': 'konnect_key_of_the_tests_2' })
    t.equal(made.status, 201)
    t.match(await api('DELETE', `/${id}?force=false`), { status: 409, body: { detail: /1 registrations, 1 callers/ } })
    t.equal((await api('PATCH', `/${id}`, { issuer: `https://sts.windows.net/${randomUUID()}/`, dcr_config: { initial_client_secret: 'x' } })).status, 409)
    const before = (await database.query('SELECT state, applied_revision, updated_at FROM registration WHERE client_id = $1', [made.body.client_id])).rows
    t.equal((await api('DELETE', `/${id}?force=true`)).status, 204)
    t.equal((await api('GET', `/${id}`)).status, 404)
    t.equal((await request(`${broker.url}/konnect`, 'POST', konnectApplication(), { 'x-api-key': 'konnect_key_of_the_tests_2' })).status, 401)
    t.strictSame((await database.query('SELECT state, applied_revision, updated_at FROM registration WHERE client_id = $1', [made.body.client_id])).rows, before)
    t.ok(second.control.state().applications.some(application => (application as { appId: string }).appId === made.body.client_id), 'its application stays')
    t.equal((await database.query('SELECT FROM provider_credential WHERE provider_id = $1 AND seal_kid IS NOT NULL', [id])).rowCount, 0)
    t.equal((await make({ name })).name, name, 'the name is free')
    t.equal((await request(`${broker.url}/konnect`, 'POST', konnectApplication(), { 'x-api-key': KONNECT_KEY })).status, 201, 'others are served')
  })

  t.test('an operator of one provider sees and touches that one only, and makes none', async t => {
    const [mine, other] = [await make(), await make()]
    await database.query("UPDATE caller SET provider_id = $1 WHERE name = 'ADMIN_API_KEYS[0]'", [mine.id])
    t.teardown(async () => { await database.query("UPDATE caller SET provider_id = NULL WHERE name = 'ADMIN_API_KEYS[0]'") })
    t.equal((await api('PATCH', `/${mine.id}`, {})).status, 200)
    t.strictSame((await api('GET')).body.data.map(({ id }: { id: string }) => id), [mine.id])
    t.equal((await api('POST', '', wanted())).status, 403)
    for (const [method, path] of [['GET', ''], ['PATCH', ''], ['DELETE', ''], ['POST', '/verify'], ['POST', '/import'], ['GET', '/credentials'], ['POST', '/credentials']] as const) {
      const body = path === '/credentials' && method === 'POST' ? { kind: 'secret', secret: 'x' } : method === 'PATCH' ? {} : undefined
      t.equal((await api(method, `/${other.id}${path}`, body)).status, 404, `${method} ${path}`)
    }
    await database.query("UPDATE caller SET provider_id = NULL WHERE name = 'ADMIN_API_KEYS[0]'")
    await api('PATCH', `/${mine.id}`, {})
  })

  t.test('the environment\'s provider is read-only until it is imported, and works on with its own credential', async t => {
    const provider = await environments()
    t.match(provider, { name: 'default', origin: 'environment', active: true, authority_host: broker.simulator.url, credential: { id: null, kind: 'secret' } })
    const attempts: Array<[string, string, unknown]> = [
      ['PATCH', '', { display_name: 'x' }], ['DELETE', '?force=true', undefined], ['POST', '/credentials', { kind: 'secret', secret: 'x' }],
      ['POST', `/credentials/${randomUUID()}/activate`, undefined], ['DELETE', `/credentials/${randomUUID()}`, undefined]
    ]
    for (const [method, path, body] of attempts) {
      t.match(await api(method, `/${provider.id}${path}`, body), { status: 409, body: { detail: /AZURE_TENANT_ID.*AZURE_CLIENT_SECRET/ } }, `${method} ${path}`)
    }
    t.match(await api('POST', `/${provider.id}/verify`), { status: 200, body: { ok: true } })
    const imported = await api('POST', `/${provider.id}/import`)
    t.match(imported, { status: 200, body: { id: provider.id, origin: 'database', credential: { kind: 'secret', hint: broker.simulator.broker.clientSecret.slice(0, 3) } } })
    t.match(await api('POST', `/${provider.id}/import`), { status: 409 })
    t.match(await api('DELETE', `/${provider.id}?force=true`), { status: 409, body: { detail: /can't be deleted/ } })
    t.match(await api('PATCH', `/${provider.id}`, { name: 'other' }), { status: 409 })
    t.match(await api('PATCH', `/${provider.id}`, { display_name: 'Imported' }), { status: 200 })
    t.match(await api('POST', `/${provider.id}/verify`), { body: { ok: true } })
    t.equal((await broker.konnect('POST', '', konnectApplication())).status, 201)

    const bound = await request(`${operationsUrl}/v2/callers`, 'POST', { kind: 'operator', name: 'of the default provider', provider: 'default', scopes: ['read', 'admin'] }, { authorization: `Bearer ${OPERATOR_KEY}` })
    const asBound = async (method: string, path: string, body?: unknown) =>
      await request(`${operationsUrl}/v2/dcr-providers/${provider.id}${path}`, method, body, { authorization: `Bearer ${bound.body.token}` })
    const elsewhere: object[] = [
      { dcr_config: { initial_client_id: randomUUID(), initial_client_secret: 'x' } },
      { issuer, dcr_config: { initial_client_secret: 'x' } },
      { authority_host: 'http://127.0.0.1:9', dcr_config: { initial_client_secret: 'x' } }
    ]
    for (const body of elsewhere) t.match(await asBound('PATCH', '', body), { status: 403, body: { detail: /operators of all providers/ } }, JSON.stringify(body))
    const ofAnother = await asBound('POST', '/credentials', { kind: 'secret', secret: 'x', client_id: randomUUID() })
    t.equal((await asBound('POST', `/credentials/${ofAnother.body.id}/activate?force=true`)).status, 403)
    const { clientId: initialClientId, clientSecret: secret } = broker.simulator.broker
    t.match(await asBound('PATCH', '', { dcr_config: { initial_client_id: initialClientId, initial_client_secret: secret } }), { status: 200, body: { dcr_config: { initial_client_id: initialClientId } } })
    const ofTheSame = await asBound('POST', '/credentials', { kind: 'secret', secret })
    t.equal((await asBound('POST', `/credentials/${ofTheSame.body.id}/activate?force=true`)).status, 200, 'he may rotate its secret')

    const again = await startTestBroker(t, { database, simulator: broker.simulator, environment: { AZURE_CLIENT_SECRET: 'no longer the secret', ENCRYPTION_KEYRING_FILE: broker.settings.keyringFile } })
    t.ok(again.logLines.some(line => /AZURE_TENANT_ID, AZURE_CLIENT_ID and the credential beside them are ignored/.test(line)))
    t.equal((await again.konnect('POST', '', konnectApplication())).status, 201)
    t.match((await database.query('SELECT display_name, origin FROM provider WHERE id = $1', [provider.id])).rows, [{ display_name: 'Imported', origin: 'database' }])
  })

  t.test('no secret is in an answer, a log line, an audit event or a plain column', async t => {
    const certificate = selfSigned()
    const given = certificate.key + certificate.certificate
    const inside = certificate.key.split('\n')[4] ?? ''
    const secrets = new Map([['second', second.broker.clientSecret], ['first', broker.simulator.broker.clientSecret], ['patched', 'patched~secret-of-the-leak-test'], ['key', inside], ['refused', 'refused~secret-of-the-leak-test']])
    const answers: string[] = []
    const said = async (...args: Parameters<typeof api>) => {
      const answer = await api(...args)
      answers.push(JSON.stringify(answer.body))
      return answer
    }
    const { body: { id } } = await said('POST', '', wanted())
    await said('POST', '', wanted({ issuer: 'https://evil.example/', dcr_config: { ...config, initial_client_secret: secrets.get('refused') } }))
    await said('POST', '', wanted({ dcr_config: { ...config, initial_client_secret: `${secrets.get('refused')} with a space` } }))
    await said('PATCH', `/${id}`, { dcr_config: { initial_client_secret: secrets.get('patched') } })
    await said('POST', `/${id}/verify`)
    await said('POST', `/${id}/credentials`, { kind: 'certificate', certificate: given })
    await said('GET', `/${id}/credentials`)
    await said('GET')
    t.ok(logLines.length > 100)
    const haystacks = [{ name: 'log', bytes: Buffer.from(logLines.join('\n')) }, { name: 'answers', bytes: Buffer.from(answers.join('\n')) }, ...await databaseHaystacks(database)]
    t.strictSame(searchLeaks(secrets, haystacks), [])
  })
})
