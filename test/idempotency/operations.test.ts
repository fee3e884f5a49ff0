// Idempotency keys on the operations API and on a service's own registrations: problems instead of OAuth errors, the same promises.
import { readFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { OPERATOR_KEY, request, type Answer } from '../support/broker.ts'
import { secretWorks } from '../support/entra-truth.ts'
import { ownedBy, startPreparedBroker, webClient } from '../register/prepared-broker.ts'
import { recordOf, registrationIdOf } from './records.ts'

/** What needs no key: nothing is made, or the answer is a stream and each line has a key of its own. */
const WITHOUT = ['/v2/policies/dry-run', '/v2/policies/{id}/dry-run', '/v2/registrations/import']

t.test('a key on the operations API', async t => {
  const broker = await startPreparedBroker(t)
  const { operationsUrl, database, register, url, simulator, konnect } = broker
  const operate = async (method: string, path: string, body?: unknown, key?: string, operatorKey = OPERATOR_KEY): Promise<Answer> =>
    await request(`${operationsUrl}/v2${path}`, method, body, { authorization: `Bearer ${operatorKey}`, ...(key !== undefined && { 'idempotency-key': key }) })
  const wanted = (name: string) => ({ kind: 'service', name, provider: 'default' })

  await t.test('gives the key of a new caller again, and makes no second one', async t => {
    const first = await operate('POST', '/callers', wanted('portal'), 'portal')
    const again = await operate('POST', '/callers', wanted('portal'), 'portal')
    t.strictSame([again.status, again.body], [201, first.body])
    t.strictSame([first, again].map(({ headers }) => headers.get('idempotency-replayed')), [null, 'true'])
    t.equal((await register(webClient(), again.body.token)).status, 201)
    t.match(await recordOf(database, 'portal'), { state: 'answered', status: 201, resource: first.body.id, sealed: true })
    isProblem(t, await operate('POST', '/callers', wanted('another'), 'portal'), 422, /another request/)
    t.equal((await operate('DELETE', `/callers/${first.body.id}`)).status, 204)
    const refused = await operate('POST', '/callers', wanted('portal'), 'portal')
    isProblem(t, refused, 409, /changed or ended/)
    t.notMatch(JSON.stringify(refused.body), first.body.token)
    t.match(await recordOf(database, 'portal'), { state: 'void', sealed: false })
  })

  await t.test('belongs to the operator who has shown it', async t => {
    const other = (await operate('POST', '/callers', { kind: 'operator', name: 'other', scopes: ['read', 'admin'] })).body.token
    const [first, second] = [await operate('POST', '/policies', { name: 'first' }, 'shared'), await operate('POST', '/policies', { name: 'second' }, 'shared', other)]
    t.strictSame([first.body.name, second.body.name], ['first', 'second'])
    const again = await operate('POST', '/policies', { name: 'first' }, 'shared')
    for (const name of ['location', 'etag']) t.equal(again.headers.get(name), first.headers.get(name), name)
    t.equal((await operate('PATCH', `/policies/${first.body.id}`, { rules: { max_clients: 3 } })).status, 200)
    isProblem(t, await operate('POST', '/policies', { name: 'first' }, 'shared'), 409, /changed or ended/)
  })

  await t.test('stands for one operation: another one has its own', async t => {
    const [policy, caller] = [await operate('POST', '/policies', { name: 'operations' }, 'common'), await operate('POST', '/callers', wanted('common'), 'common')]
    t.strictSame([policy.status, caller.status], [201, 201])
    t.equal(caller.headers.get('idempotency-replayed'), null)
  })

  await t.test('is free again after what was refused, and ignored where nothing is made', async t => {
    isProblem(t, await operate('POST', '/callers', { ...wanted('refused'), unknown: true }, 'refused'), 400)
    isProblem(t, await operate('POST', '/callers', wanted('common'), 'refused'), 409, /already/)
    isProblem(t, await operate('POST', '/registrations/01a20951-0000-4000-8000-0000000000c1/rotate', undefined, 'refused'), 404)
    t.equal((await operate('POST', '/callers', wanted('accepted'), 'refused')).status, 201)
    const kept = (await database.query('SELECT FROM idempotency_record')).rowCount
    t.equal((await operate('POST', '/policies/dry-run', { rules: {}, document: webClient() }, 'refused')).status, 200)
    t.equal((await operate('GET', '/callers', undefined, 'k'.repeat(300))).status, 200)
    t.equal((await database.query('SELECT FROM idempotency_record')).rowCount, kept)
    isProblem(t, await operate('POST', '/callers', wanted('long'), 'k'.repeat(256)), 400, /1 to 255/)
  })

  await t.test('gives a rotated secret again until the next rotation', async t => {
    const id = await registrationIdOf(database, (await konnect('POST', '', webClient({ client_name: 'Rotated' }))).body.client_id)
    const first = await operate('POST', `/registrations/${id}/rotate`, undefined, 'rotate')
    const again = await operate('POST', `/registrations/${id}/rotate`, undefined, 'rotate')
    t.strictSame([again.status, again.body, again.headers.get('idempotency-replayed')], [200, first.body, 'true'])
    t.ok(await secretWorks(simulator, again.body.client_id, again.body.client_secret))
    const next = await operate('POST', `/registrations/${id}/rotate`, undefined, 'rotate once more')
    t.not(next.body.client_secret, first.body.client_secret)
    isProblem(t, await operate('POST', `/registrations/${id}/rotate`, undefined, 'rotate'), 409, /changed or ended/)
    t.strictSame((await operate('POST', `/registrations/${id}/rotate`, undefined, 'rotate once more')).body, next.body)
    t.equal((await operate('DELETE', `/registrations/${id}`)).status, 204)
    isProblem(t, await operate('POST', `/registrations/${id}/rotate`, undefined, 'rotate once more'), 409, /changed or ended/)
  })

  await t.test('gives the answer to a change again that the change itself has not made void', async t => {
    const id = await registrationIdOf(database, ownedBy(await register(webClient({ client_name: 'Switched' }))).id)
    const first = await operate('POST', `/registrations/${id}/disable`, undefined, 'switch')
    const again = await operate('POST', `/registrations/${id}/disable`, undefined, 'switch')
    t.strictSame([again.status, again.body.state, again.headers.get('idempotency-replayed')], [200, first.body.state, 'true'])
    isProblem(t, await operate('POST', `/registrations/${await registrationIdOf(database, ownedBy(await register(webClient())).id)}/disable`, undefined, 'switch'), 422)
    t.equal((await operate('POST', `/registrations/${id}/enable`)).status, 200)
    isProblem(t, await operate('POST', `/registrations/${id}/disable`, undefined, 'switch'), 409)
  })

  await t.test('gives nothing again of what ended with its provider, or was removed from it', async t => {
    const { body: provider } = await operate('POST', '/dcr-providers', {
      provider_type: 'azureAd',
      name: 'short-lived',
      issuer: `${simulator.url}/${simulator.tenantId}/v2.0`,
      dcr_config: { initial_client_id: simulator.broker.clientId, initial_client_secret: simulator.broker.clientSecret }
    })
    const credentials = `/dcr-providers/${provider.id}/credentials`
    const credential = { kind: 'secret', secret: 'standby~of-a-provider' }
    const added = await operate('POST', credentials, credential, 'of a provider')
    t.strictSame((await operate('POST', credentials, credential, 'of a provider')).body, added.body)
    t.equal((await operate('DELETE', `${credentials}/${added.body.id}`)).status, 204)
    isProblem(t, await operate('POST', credentials, credential, 'of a provider'), 409, /changed or ended/)

    const caller = { ...wanted('of the provider'), provider: 'short-lived' }
    t.equal((await operate('POST', '/callers', caller, 'ends with it')).status, 201)
    t.equal((await operate('DELETE', `/dcr-providers/${provider.id}?force=true`)).status, 204)
    const refused = await operate('POST', '/callers', caller, 'ends with it')
    isProblem(t, refused, 409, /changed or ended/)
    t.match(await recordOf(database, 'ends with it'), { sealed: false })
  })

  await t.test('works for a service and its own registrations', async t => {
    const { token } = (await operate('POST', '/callers', { ...wanted('owner'), scopes: ['register', 'read', 'rotate'] })).body
    const client = ownedBy(await register(webClient({ client_name: 'Own' }), token))
    const path = `${url}/v2/registrations/${await registrationIdOf(database, client.id)}/rotate`
    const send = async () => await request(path, 'POST', undefined, { authorization: `Bearer ${token}`, 'idempotency-key': 'own' })
    const first = await send()
    const again = await send()
    t.strictSame([again.status, again.body, again.headers.get('idempotency-replayed')], [200, first.body, 'true'])
  })
})

t.test('two of an operator\'s requests at once with one key: one is served, the other is told to come again', async t => {
  const { operationsUrl } = await startPreparedBroker(t)
  const send = async () => await request(`${operationsUrl}/v2/callers`, 'POST', { kind: 'service', name: 'at once', provider: 'default' },
    { authorization: `Bearer ${OPERATOR_KEY}`, 'idempotency-key': 'at once' })
  const answers = await Promise.all(Array.from({ length: 5 }, send))
  for (const answer of answers) {
    if (answer.status === 201) continue
    isProblem(t, answer, 409, /still under way/)
    t.match(answer.headers.get('retry-after'), /^[1-9]\d*$/)
  }
  t.equal(new Set(answers.filter(({ status }) => status === 201).map(({ body }) => body.id)).size, 1)
  t.equal((await send()).status, 201)
})

t.test('every POST that takes a key says so in its document, and no other operation does', async t => {
  for (const name of ['public', 'operations']) {
    const { paths } = JSON.parse(await readFile(`openapi/${name}.json`, 'utf8')) as { paths: Record<string, Record<string, { parameters?: Array<{ name: string, in: string }>, responses: object }>> }
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, { parameters = [], responses }] of Object.entries(operations)) {
        const takesKey = method === 'post' && !WITHOUT.includes(path) && !path.startsWith('/konnect')
        t.equal(parameters.some(parameter => parameter.in === 'header' && parameter.name === 'idempotency-key'), takesKey, `${method} ${path}`)
        if (takesKey) t.ok('409' in responses && '422' in responses, `${method} ${path} answers 409 and 422`)
      }
    }
  }
})

function isProblem (t: Test, { status, headers, body }: Answer, wanted: number, detail = /./): void {
  t.strictSame([status, body.status], [wanted, wanted], JSON.stringify(body))
  t.match(headers.get('content-type'), /^application\/problem\+json/)
  t.match(body.detail === 'Invalid parameters' ? JSON.stringify(body) : body.detail, detail)
}
