// The audit as operators read it: who, what, from where, by which request; by filters and pages, and never another provider's.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { createAuditReader, type AuditQuery } from '../../src/administration/audit.ts'
import { readCheckpoints } from '../../src/administration/audit-checkpoint.ts'
import type { ListedAuditEvent } from '../../src/administration/audit-port.ts'
import { createAuditBrowser } from '../../src/store/audit-browser.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { createKeyringFile } from '../../src/vault/keyring.ts'
import { runHere } from '../cli/run-cli.ts'
import { authorized, createServer, operator } from '../operations/operations-server.ts'
import { konnectApplication, OPERATOR_KEY, request, startTestBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { someCaller } from '../support/records.ts'

t.jobs = 2

const asOperator = { authorization: `Bearer ${OPERATOR_KEY}` }

t.test('what a caller does is audited with request and address, sealed within seconds, and found by filters', async t => {
  const database = await createTestDatabase(t)
  const keyring = `${t.testdir({})}/keyring.json`
  await createKeyringFile(keyring)
  const cli = async (...args: string[]) => await runHere(['audit', ...args], { DATABASE_URL: database.url, ENCRYPTION_KEYRING_FILE: keyring })
  let logLines: string[] = []

  await t.test('while the broker runs', async t => {
    const broker = await startTestBroker(t, { database, environment: { AUDIT_SEAL_INTERVAL_MS: '50', ENCRYPTION_KEYRING_FILE: keyring } })
    logLines = broker.logLines
    const list = listAt(broker.operationsUrl)
    const { body: { client_id: clientId } } = await broker.konnect('POST', '', konnectApplication())
    const rotated = await broker.konnect('POST', `/${clientId}/new-secret`)
    const registered = await broker.register({ client_name: 'Orders', redirect_uris: ['https://orders.example.com/callback'] })
    const { registration_client_uri: uri, registration_access_token: token } = registered.body
    t.equal((await broker.manage('DELETE', uri, token)).status, 204)

    const { data: [rotation] } = await list({ 'filter[request_id]': String(rotated.headers.get('x-request-id')), 'filter[action][contains]': 'ROTATED' })
    t.match(rotation, { outcome: 'succeeded', provider: 'default', source_address: '127.0.0.1', registration_id: String, actor: String })
    const { data: ofOne } = await list({ 'filter[registration_id]': rotation.registration_id, sort: 'at' })
    t.match(ofOne, [{ action: 'registration.reserved', actor: rotation.actor, source_address: '127.0.0.1' }])
    const { data: byHolder } = await list({ 'filter[actor][contains]': 'client:' })
    t.match(byHolder, [{ actor: /^client:/, source_address: '127.0.0.1', request_id: String }])

    // The oldest first: what the broker does meanwhile by itself comes behind.
    const { data: all, meta: { page: { total } } } = await list({ 'page[size]': '100', sort: 'at' })
    t.equal(all.length, total)
    const paged: string[] = []
    for (let path: string | null = '/v2/audit-events?page[size]=2&sort=at'; path !== null;) {
      const { body } = await request(`${broker.operationsUrl}${path}`, 'GET', undefined, asOperator)
      paged.push(...body.data.map((event: { id: string }) => event.id))
      path = body.meta.page.next
    }
    t.strictSame(paged.slice(0, total), all.map((event: { id: string }) => event.id))
    t.equal((await list({ 'filter[at][lt]': all[0].at })).meta.page.total, 0)
    t.ok((await list({ 'filter[at][gte]': all[0].at, 'filter[provider][oeq]': 'default,other' })).meta.page.total >= total)
    t.equal((await list({ 'filter[provider]': 'other' })).meta.page.total, 0)
    t.equal((await list({ 'filter[outcome]': 'failed' })).meta.page.total, 0)
    await eventually('all are sealed', async () => (await list({ 'page[size]': '100' })).data.every(({ seq }: { seq: number | null }) => seq !== null))

    const listed = JSON.parse((await cli('list', '--registration', rotation.registration_id, '--within', '1h', '--json')).stdout)
    // What was superseded is removed behind the answer where there was no time before it: that is told of as well by now.
    const { data: known } = await list({ 'filter[registration_id]': rotation.registration_id, sort: 'at' })
    t.strictSame(listed.map((event: { id: string }) => event.id).reverse(), known.map((event: { id: string }) => event.id))
    t.match(await cli('list', '--limit', '1'), { code: 0, stdout: /^AT +ACTOR [^\n]*\n[^\n]+\n$/ })
    t.match(await cli('verify'), { code: 0, complaints: [] })
  })

  const [checkpoint] = readCheckpoints(logLines.filter(line => line.includes('Audit checkpoint')).join('\n'))
  t.match(checkpoint, { seq: Number, signature: /^[0-9a-f]{64}$/ }, 'when it ends, the head of the chain stands in the log')
  t.match(await cli('verify', '--checkpoint', JSON.stringify(checkpoint)), { code: 0, stdout: /1 checkpoint is in the chain/ })
})

function listAt (operationsUrl: string) {
  return async (query: Record<string, string>) => {
    const answer = await request(`${operationsUrl}/v2/audit-events?${new URLSearchParams(query)}`, 'GET', undefined, asOperator)
    if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
}

async function openReader (t: Test) {
  const { url, query } = await createTestDatabase(t)
  const { prisma, close } = openDatabase({ connectionString: url, maxConnections: 2 })
  t.teardown(close)
  return { query, reader: createAuditReader(createAuditBrowser(prisma)) }
}

t.test('an operator of one provider sees what concerns it, and nothing of another or of the whole installation', async t => {
  const { query, reader } = await openReader(t)
  const [mine, other] = [randomUUID(), randomUUID()]
  for (const [id, name] of [[mine, 'mine'], [other, 'other']]) {
    await query("INSERT INTO provider (id, name, origin, issuer, tenant_id, initial_client_id) VALUES ($1, $2, 'database', 'https://issuer.test', 'x', 'x')", [id, name])
  }
  for (const [index, providerId] of [mine, other, null].entries()) {
    await query(`INSERT INTO audit_event (id, at, actor, action, outcome, provider_id, detail)
      VALUES (gen_random_uuid(), now() + $2 * interval '1 second', 'x', 'x', 'succeeded', $1, '{}')`, [providerId, index])
  }
  const seen = async (providerId: string | null, filters: AuditQuery['filters'] = []) => {
    const { rows } = await reader.list({ filters, sort: { field: 'at', descending: false }, size: 10, start: { number: 1 } }, { providerId })
    return rows.map((event: ListedAuditEvent) => event.providerName)
  }
  t.strictSame(await seen(null), ['mine', 'other', null])
  t.strictSame(await seen(mine), ['mine'])
  t.strictSame(await seen(mine, [{ field: 'provider', operator: 'in', values: ['other'] }]), [])
  t.strictSame(await seen(null, [{ field: 'provider', operator: 'exists' }]), ['mine', 'other'])
})

t.test('the audit needs its own scope; keys are changed by administrators of the whole installation only', async t => {
  const reading = await createServer(t)
  t.equal((await reading.inject({ url: '/v2/audit-events', headers: authorized })).statusCode, 403)
  t.equal((await reading.inject({ method: 'POST', url: '/v2/encryption-keys/rewrap', headers: authorized })).statusCode, 403)
  const bound = await createServer(t, { caller: someCaller({ ...operator, scopes: ['read', 'admin', 'audit'], providerId: randomUUID() }) })
  for (const path of ['rewrap', 'k1/activate', 'k1/retire']) {
    const { statusCode, body } = await bound.inject({ method: 'POST', url: `/v2/encryption-keys/${path}`, headers: authorized })
    t.equal(statusCode, 403)
    t.match(body, /bound to a provider/)
  }
  const { statusCode, body } = await bound.inject({ url: '/v2/audit-events?filter[who]=me&sort=actor', headers: authorized })
  t.equal(statusCode, 400)
  t.match(JSON.parse(body), { invalid_parameters: [{ field: 'sort' }, { field: 'filter[who]' }] })
})
