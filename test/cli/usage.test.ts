// dcr-broker usage declare and report.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { operatorDatabase } from './operator-database.ts'

const CLIENT = '66666666-7777-8888-9999-aaaaaaaaaaaa'

async function reports (t: { teardown: (work: () => Promise<void>) => void }) {
  const folder = await mkdtemp(join(tmpdir(), 'dcr-usage-'))
  t.teardown(async () => { await rm(folder, { recursive: true }) })
  return async (...lines: string[]) => {
    const file = join(folder, `${lines.length}.ndjson`)
    await writeFile(file, lines.join('\n'))
    return file
  }
}

t.test('a source is declared, reports, and is withdrawn; each with its audit event', async t => {
  const { cli, json, query } = await operatorDatabase(t)
  const report = await reports(t)
  t.match(await cli('usage', 'report', '--file', await report(), '--until', '2026-11-01'), { code: 1, complaints: [/has no source of use: declare it first/] })
  t.strictSame(await json('usage', 'declare', '--source', 'sign-in logs'), { provider: 'default', source: 'sign-in logs' })
  const file = await report(`{"client_id":"${CLIENT}","at":"2026-10-01T00:00:00Z"}`, `{"client_id":"${CLIENT.toUpperCase()}","at":"2026-10-02T00:00:00Z"}`, '')
  t.strictSame(await json('usage', 'report', '--file', file, '--until', '2026-11-01T00:00:00Z'),
    { provider: 'default', until: '2026-11-01T00:00:00.000Z', reported: 1, known: 0 })
  t.match((await query('SELECT usage_source, usage_reported_at FROM provider')).rows, [{ usage_source: 'sign-in logs', usage_reported_at: new Date('2026-11-01T00:00:00Z') }])
  t.strictSame(await json('usage', 'declare', '--none'), { provider: 'default', source: null })
  t.match((await query('SELECT usage_source, usage_reported_at FROM provider')).rows, [{ usage_source: null, usage_reported_at: null }])
  t.equal((await query("SELECT FROM audit_event WHERE action LIKE 'usage%'")).rowCount, 3)
})

t.test('every faulty line of a report is named, and nothing of it counts', async t => {
  const { cli, query } = await operatorDatabase(t)
  const report = await reports(t)
  await cli('usage', 'declare', '--source', 'sign-in logs')
  const file = await report('{"client_id":"x","at":"2026-10-01"}', `{"client_id":"${CLIENT}","at":"soon"}`, 'not json')
  t.match(await cli('usage', 'report', '--file', file, '--until', '2026-11-01'), { code: 1, complaints: [/Line 1 /, /Line 2 /, /Line 3 /] })
  t.match((await query('SELECT usage_reported_at FROM provider')).rows, [{ usage_reported_at: null }])
})

t.test('a command line that says nothing clear is exit code 2', async t => {
  const { cli } = await operatorDatabase(t)
  for (const args of [['declare'], ['declare', '--source', 'x', '--none'], ['report', '--file', 'x'], ['report', '--file', 'x', '--until', 'tomorrow']]) {
    t.match(await cli('usage', ...args), { code: 2, stdout: '' }, args.join(' '))
  }
})
