// Many registrations at once: out as lines that stream, in as lines of which each gets its report.
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { get, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { ListedRegistration } from '../../src/registration/browse-port.ts'
import { konnectApplication, OPERATOR_KEY, request, startTestBroker, type TestBroker } from '../support/broker.ts'
import { ourApplications, secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { runHere } from '../cli/run-cli.ts'
import { authorized, createRecords, createServer } from './operations-server.ts'

const SECOND_OPERATOR_KEY = 'operator_key_of_the_tests_2'
const service = { client_name: 'Nightly', grant_types: ['client_credentials'] }

interface Report { line: number, outcome: string, id?: string, client_id?: string, client_secret?: string, error?: string }

const linesOf = <Line> (text: string): Line[] => text.trim().split('\n').map(line => JSON.parse(line) as Line)
const withKey = (key: string) => ({ authorization: `Bearer ${key}` })

const importerOf = ({ operationsUrl }: TestBroker) => async (lines: unknown[], key = OPERATOR_KEY): Promise<Report[]> => {
  const body = lines.map(line => typeof line === 'string' ? line : JSON.stringify(line)).join('\n')
  const answer = await fetch(`${operationsUrl}/v2/registrations/import`, { method: 'POST', body, headers: { ...withKey(key), 'content-type': 'application/x-ndjson' } })
  const text = await answer.text()
  if (answer.status !== 200 || answer.headers.get('content-type') !== 'application/x-ndjson') throw new Error(`Answered ${answer.status}: ${text}`)
  return linesOf(text)
}

t.test('what is exported is whole, oldest first, filtered as a list is, and holds no secret', async t => {
  const broker = await startTestBroker(t)
  const { konnect, database, operationsUrl } = broker
  const { body: { client_id: clientId, client_secret: secret } } = await konnect('POST', '', konnectApplication({ client_name: 'Exported' }))
  await database.query(`INSERT INTO registration (id, provider_id, strategy_id, caller_id, surface, state, metadata, client_name, display_name, access_token_version,
      tags, web_redirect_uris, public_redirect_uris, spa_redirect_uris, created_at, labels)
    SELECT gen_random_uuid(), provider_id, strategy_id, caller_id, 'register', 'deleted', metadata || '{"clientName": "Many"}', 'Many', 'Many', 1, tags, '{}', '{}', '{}',
      created_at - interval '1 second' * (n / 3 + 1), '{"batch": "one"}'
    FROM registration, generate_series(1, 1200) n`)
  const exported = async (query: string) => await request(`${operationsUrl}/v2/registrations/export${query}`, 'GET', undefined, withKey(OPERATOR_KEY))
  const all = await exported('')
  t.match(all.headers.get('content-type'), /^application\/x-ndjson/)
  const lines = linesOf<{ id: string, client_id: string, created_at: string, document: { client_name: string, redirect_uris: string[] } }>(String(all.body))
  t.equal(new Set(lines.map(({ id }) => id)).size, 1201)
  t.strictSame(lines.map(line => line.created_at), lines.map(line => line.created_at).sort())
  t.match(lines.at(-1), { client_id: clientId, document: { client_name: 'Exported', redirect_uris: konnectApplication()['redirect_uris'] } })
  t.notMatch(String(all.body), secret)
  t.match((await exported('?filter[client_name]=Exported')).body, { client_id: clientId })
  t.equal(linesOf(String((await exported('?filter[labels.batch]=one&filter[state][eq]=deleted')).body)).length, 1200)
  t.equal((await exported('?filter[client_name]=Nobody')).body, null)
  for (const query of ['?sort=created_at', '?page[size]=1', '?filter[nothing]=x']) t.equal((await exported(query)).status, 400, query)
  t.equal((await request(`${operationsUrl}/v2/registrations/export`, 'GET')).status, 401)
})

t.test('an export reads on only as its client does, and ends when its client leaves', async t => {
  const records = await createRecords(t)
  await records.add()
  const { rows: [row] } = await records.reader.list({ filters: [], sort: { field: 'createdAt', descending: false }, size: 1, start: { number: 1 } }, { kind: 'operator', providerId: null } as never)
  const page = Array.from({ length: 500 }, () => row as ListedRegistration)
  let pages = 0
  const ended = new AbortController()
  // Without end: an export that does not wait would read for ever.
  async function * endless (): AsyncGenerator<ListedRegistration[], void> {
    try {
      for (;;) {
        pages += 1
        yield page
        // Another turn of the loop, in which the socket says that it is full.
        await new Promise(resolve => setImmediate(resolve))
      }
    } finally {
      ended.abort()
    }
  }
  const server = await createServer(t, { records: { reader: { ...records.reader, export: endless } } })
  const address = await server.listen({ host: '127.0.0.1', port: 0 })
  const client = get(`${address}/v2/registrations/export`, { headers: authorized })
  const [response] = await new Promise<[import('node:http').IncomingMessage]>(resolve => client.once('response', response => resolve([response])))
  response.pause()
  let seen = 0
  await eventually('it waits for its client', async () => {
    const still = seen === pages && pages > 1
    seen = pages
    return still
  })
  t.ok(pages < 1_000, `${pages} pages were read`)
  client.destroy()
  await eventually('it has ended', () => ended.signal.aborted)
})

t.test('imports', async t => {
  const broker = await startTestBroker(t, { environment: { RESUME_SCAN_MS: '100', REDELIVERY_WINDOW_MS: '9000', ADMIN_API_KEYS: `${OPERATOR_KEY},${SECOND_OPERATOR_KEY}` } })
  const { simulator, database, logLines, operationsUrl } = broker
  const importLines = importerOf(broker)
  const show = async (id: string | undefined) => (await request(`${operationsUrl}/v2/registrations/${id}`, 'GET', undefined, withKey(OPERATOR_KEY))).body

  await t.test('every line has its report, in order: what is registered works, what is refused says why', async t => {
    const reports = await importLines([
      { document: service, labels: { team: 'blue' }, owner: 'ada' },
      { provider: 'default', key: 'native', document: { client_name: 'Editor', redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'none' } },
      '',
      'not json',
      { document: { ...service, redirect_uris: ['ftp://x'] } },
      { document: service, provider: 'nobody' },
      { document: service, unknown: true },
      { document: service, labels: { konnect: 'x' } },
      '{"document": {"client_name": "\\u0000"}}',
      '{"__proto__": {}, "document": {}}',
      { key: 'no document' }
    ])
    t.strictSame(reports.map(({ line, outcome }) => [line, outcome]), [
      [1, 'created'], [2, 'created'], [4, 'refused'], [5, 'refused'], [6, 'refused'], [7, 'refused'], [8, 'refused'], [9, 'refused'], [10, 'refused'], [11, 'refused']
    ])
    const [confidential, native, ...refused] = reports
    t.ok(await secretWorks(simulator, confidential?.client_id ?? '', confidential?.client_secret ?? ''))
    t.match(await show(confidential?.id), { surface: 'operations', state: 'active', labels: { team: 'blue' }, owner: 'ada', client_name: 'Nightly' })
    t.notOk(native?.client_secret)
    const { rows: events } = await database.query<{ action: string, source_address: string | null }>(
      'SELECT action, source_address FROM audit_event WHERE registration_id = $1 ORDER BY at, id', [confidential?.id])
    t.strictSame(events, ['registration.reserved', 'registration.activated'].map(action => ({ action, source_address: '127.0.0.1' })))
    for (const { line, error } of refused) t.match(error, /\w+.*\.$/, `line ${line}`)
    await eventually('they count as delivered', async () => (await show(confidential?.id)).delivery === 'delivered')
    const { rows } = await database.query('SELECT DISTINCT source_address FROM audit_event WHERE registration_id = $1 AND actor <> \'broker\'', [confidential?.id])
    t.strictSame(rows, [{ source_address: '127.0.0.1' }], 'the audit says from where')
    t.equal(ourApplications(simulator).length, 2)
    t.notMatch(logLines.join('\n'), confidential?.client_secret ?? 'none')
  })

  await t.test('a key makes one registration, whoever repeats the import and however the client fares, and none again after its end', async t => {
    const line = { key: 'once', document: service }
    const [first] = await importLines([line])
    t.match(first, { outcome: 'created', client_secret: /\S/ })
    await eventually('it is delivered', async () => (await show(first?.id)).delivery === 'delivered')
    const count = ourApplications(simulator).length
    const unchanged = { line: 1, outcome: 'unchanged', id: first?.id, client_id: first?.client_id }
    for (const key of [OPERATOR_KEY, SECOND_OPERATOR_KEY]) t.strictSame(await importLines([line], key), [unchanged])
    await request(`${operationsUrl}/v2/registrations/${first?.id}/disable`, 'POST', undefined, withKey(OPERATOR_KEY))
    t.strictSame(await importLines([{ ...line, document: { ...service, client_name: 'Another' } }]), [unchanged], 'the key decides')
    t.equal(ourApplications(simulator).length, count)
    await request(`${operationsUrl}/v2/registrations/${first?.id}`, 'DELETE', undefined, withKey(OPERATOR_KEY))
    t.match(await importLines([line]), [{ outcome: 'refused', error: /was deleted/ }])
    t.equal(ourApplications(simulator).length, count - 1)
  })

  await t.test('a key that comes several times at once makes one application', async t => {
    const count = ourApplications(simulator).length
    const line = { key: 'race', document: service }
    const answers = await Promise.all([importLines([line, line, line]), importLines([line, line], SECOND_OPERATOR_KEY)])
    const reports = answers.flat()
    t.equal(ourApplications(simulator).length, count + 1, JSON.stringify(reports))
    const ids = new Set(reports.flatMap(({ id }) => id ?? []))
    t.equal(ids.size, 1)
    t.equal(reports.filter(({ outcome }) => outcome === 'created').length, 1)
  })

  await t.test('what failed may be repeated: with the same key it is made then, once', async t => {
    const count = ourApplications(simulator).length
    simulator.control.faults.add({ match: { method: 'PATCH', path: 'servicePrincipals', times: 1 }, action: { type: 'status', status: 403 } })
    const line = { key: 'again', document: service }
    const [failed] = await importLines([line])
    t.match(failed, { outcome: 'failed', error: /permission/ })
    const created = await eventually('the key is free again', async () => {
      const [report] = await importLines([line])
      return report?.outcome === 'failed' ? null : report
    })
    t.match(created, { outcome: 'created', client_secret: /\S/ })
    t.equal(ourApplications(simulator).length, count + 1)
  })

  await t.test('what an answer that broke off had not named is undone', async t => {
    const before = (await database.query<{ id: string }>('SELECT id FROM registration')).rows.map(({ id }) => id)
    const applications = ourApplications(simulator).length
    simulator.control.faults.add({ match: { method: 'POST', path: 'addPassword$', times: 2 }, action: { type: 'delay', ms: 2_500 } })
    simulator.control.journal.clear()
    const client = httpRequest(`${operationsUrl}/v2/registrations/import`, { method: 'POST', headers: { ...withKey(OPERATOR_KEY), 'content-type': 'application/x-ndjson' } })
    client.on('error', () => {})
    client.end([{ document: service }, { document: service }].map(line => JSON.stringify(line)).join('\n'))
    await eventually('both are being made', () => simulator.control.journal.entries({ path: 'addPassword' }).length === 2)
    client.destroy()
    await eventually('both are undone', async () =>
      (await database.query("SELECT FROM registration WHERE state = 'undone' AND id <> ALL($1)", [before])).rowCount === 2, 40_000)
    t.equal((await database.query('SELECT FROM registration')).rowCount, before.length + 2)
    t.equal(ourApplications(simulator).length, applications)
  })

  await t.test('what one answer has named a repeat that breaks off does not undo', async t => {
    const named = { key: 'named', document: { client_name: 'Named', redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'none' } }
    const slowly = () => simulator.control.faults.add({ match: { method: 'POST', path: 'addPassword$', times: 1 }, action: { type: 'delay', ms: 2_500 } })
    const send = (lines: unknown[]) => {
      const client = httpRequest(`${operationsUrl}/v2/registrations/import`, { method: 'POST', headers: { ...withKey(OPERATOR_KEY), 'content-type': 'application/x-ndjson' } })
      client.on('error', () => {})
      client.end(lines.map(line => JSON.stringify(line)).join('\n'))
      return client
    }
    slowly()
    const first = send([named, { document: service }])
    const id = await new Promise<string>(resolve => {
      first.on('response', response => {
        response.on('error', () => {})
        response.once('data', (chunk: Buffer) => resolve(linesOf<Report>(chunk.toString())[0]?.id ?? ''))
      })
    })
    first.destroy()
    const windowOf = async () => (await database.query<{ ends: string | null }>('SELECT redeliver_until::text AS ends FROM registration WHERE id = $1', [id])).rows[0]?.ends
    const before = await windowOf()
    slowly()
    const second = send([{ document: service }, named])
    await eventually('the repeat has its answer, behind a line that is not done', async () => await windowOf() !== before)
    second.destroy()
    await eventually('its window is closed', async () => await windowOf() === null, 40_000)
    t.match(await show(id), { state: 'active', delivery: 'unknown' })
  })

  await t.test('the commands export and import say how it went, and write files that nobody else reads', async t => {
    const folder = await mkdtemp(join(tmpdir(), 'dcr-transfer-'))
    t.teardown(async () => { await rm(folder, { recursive: true, force: true }) })
    const [lines, report, out, keyFile] = ['lines', 'report', 'out', 'key'].map(name => join(folder, name)) as [string, string, string, string]
    await writeFile(keyFile, `${OPERATOR_KEY}\n`)
    await writeFile(lines, `${'\n'.repeat(600)}${JSON.stringify({ key: 'command', document: service })}\n{"document": {}, "key": 1}\n`)
    const options = ['--url', operationsUrl, '--key-file', keyFile]
    const imported = await runHere(['import', lines, '--report', report, ...options, '--json'])
    t.match([imported.code, JSON.parse(imported.stdout)], [1, { created: 1, unchanged: 0, refused: 1, failed: 0, report }], imported.complaints.join())
    const reports = linesOf<Report>(await readFile(report, 'utf8'))
    t.match(reports, [{ line: 601, outcome: 'created', client_secret: /\S/ }, { line: 602, outcome: 'refused' }])
    t.equal((await stat(report)).mode & 0o777, 0o600)
    t.match(await runHere(['import', lines, '--report', report, ...options]), { code: 1, complaints: [/can't be made/] }, 'nothing is overwritten')
    const exported = await runHere(['export', '--file', out, '--filter', `client_id=${reports[0]?.client_id}`, ...options])
    t.match([exported.code, exported.stdout], [0, /^1 registrations are in /])
    t.match(linesOf(await readFile(out, 'utf8')), [{ id: reports[0]?.id, document: { client_name: 'Nightly' } }])
    t.match(await runHere(['export', ...options, '--filter', 'nothing=x']), { code: 1, complaints: [/answers 400: filter\[nothing\]/] })
    t.match(await runHere(['export', '--url', operationsUrl], { OPERATOR_KEY: 'wrong' }), { code: 1, complaints: [/answers 401/] })
    t.match(await runHere(['export', '--url', operationsUrl]), { code: 2, complaints: [/operator key is needed/] })
    t.match(await runHere(['export', '--url', 'http://broker.example.com'], { OPERATOR_KEY }), { code: 2, complaints: [/http for a host that is not loopback/] })
  })

  await t.test('what is too large, no text or of another type is refused as a whole, and nothing is made of it', async t => {
    const { rowCount: before } = await database.query('SELECT FROM registration')
    const good = JSON.stringify({ document: service })
    const cases: Array<[name: string, body: string | Buffer, type: string, status: number]> = [
      ['a long line', `${good}\n{"key":"${'x'.repeat(65_536)}"}`, 'application/x-ndjson', 413],
      ['many lines', `${good}\n`.repeat(10_001), 'application/x-ndjson', 413],
      ['no UTF-8', Buffer.from([0x7b, 0xff, 0x0a]), 'application/x-ndjson', 400],
      ['one JSON document', good, 'application/json', 415],
      ['plain text', good, 'text/plain', 415]
    ]
    for (const [name, body, type, status] of cases) {
      const answer = await fetch(`${operationsUrl}/v2/registrations/import`, { method: 'POST', body, headers: { ...withKey(OPERATOR_KEY), 'content-type': type } })
      t.equal(answer.status, status, name)
      t.match(answer.headers.get('content-type'), /^application\/problem\+json/, name)
      await answer.text()
    }
    t.equal((await database.query('SELECT FROM registration')).rowCount, before)
    t.strictSame(await importLines(['', '   ', good, '']).then(reports => reports.map(({ line, outcome }) => [line, outcome])), [[3, 'created']])
    await database.query("UPDATE caller SET scopes = '{read}', provider_id = provider_id WHERE kind = 'operator'")
    await eventually('the scope is gone', async () => (await fetch(`${operationsUrl}/v2/registrations/import`, { method: 'POST', headers: withKey(OPERATOR_KEY) })).status === 403)
    t.equal((await request(`${operationsUrl}/v2/registrations/${randomUUID()}`, 'GET', undefined, withKey(OPERATOR_KEY))).status, 404)
  })
})
