// However the process ends, what it has started ends with it, and the exit code says whether all was well.
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isAlive } from '../../src/sandbox/postgres-leftover.ts'
import { eventually } from '../support/eventually.ts'
import { startMain } from './main-process.ts'
import { postgresBelow } from './postgres-of.ts'

const anyPorts = { PORT: '0', OPERATIONS_PORT: '0', SIMULATOR_PORT: '0' }

/** Where PostgreSQL's account can pass through. */
async function makeFolder (t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dcr-ends-'))
  await chmod(folder, 0o755)
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function takePort (t: Test): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return String((server.address() as AddressInfo).port)
}

for (const name of ['PORT', 'OPERATIONS_PORT', 'SIMULATOR_PORT']) {
  t.test(`a ${name} that is taken is one line and exit code 1, and nothing is left running`, async t => {
    const dir = await makeFolder(t)
    const port = await takePort(t)
    const main = startMain({ ...anyPorts, SANDBOX_DIR: dir, [name]: port })
    t.teardown(() => main.child.kill('SIGKILL'))
    const postgres = await eventually('PostgreSQL is there', () => postgresBelow(dir))
    const { code, stdout, stderr } = await main.ended
    t.equal(code, 1)
    const fatal = stdout.split('\n').filter(line => line.includes('"fatal"'))
    t.equal(fatal.length, 1)
    t.match(fatal[0], new RegExp(`can't start: .*EADDRINUSE.*127\\.0\\.0\\.1:${port}`))
    t.notMatch(`${stdout}${stderr}`, /\n? +at .*\.[jt]s:\d+/, 'no stack')
    t.notOk(isAlive(postgres))
  })
}

t.test('a signal while the sandbox is being made ends it, with all that was started', async t => {
  const dir = await makeFolder(t)
  const main = startMain({ ...anyPorts, SANDBOX_DIR: dir })
  t.teardown(() => main.child.kill('SIGKILL'))
  const postgres = await eventually('PostgreSQL is there', () => postgresBelow(dir))
  main.child.kill('SIGTERM')
  const { code, stdout } = await main.ended
  t.equal(code, 0)
  t.notMatch(stdout, /fatal|Register a client/)
  t.notOk(isAlive(postgres))
})

t.test('a second signal does not wait for the request at hand', async t => {
  const dir = await makeFolder(t)
  const main = startMain({ ...anyPorts, SANDBOX_DIR: dir })
  t.teardown(() => main.child.kill('SIGKILL'))
  const output = await main.output(/Register a client:[\s\S]*curl .*\n/)
  const postgres = await postgresBelow(dir)
  const url = new URL(/Konnect bridge +(\S+)/.exec(output)?.[1] ?? '')
  const key = /X-API-KEY: (\w+)/.exec(output)?.[1] ?? ''
  // A body that never comes to its end. The answer to the second request shows that the first is known.
  const socket = connect(Number(url.port), url.hostname).on('error', () => {})
  t.teardown(() => socket.destroy())
  socket.write(`POST /konnect HTTP/1.1\r\nHost: broker\r\nX-API-KEY: ${key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n`)
  await once(socket, 'data')

  main.child.kill('SIGTERM')
  await main.output(/"Closing"/)
  main.child.kill('SIGTERM')
  const { code, stdout } = await main.ended
  t.equal(code, 1)
  t.match(stdout, /Second signal/)
  await eventually('PostgreSQL has ended by itself', () => postgres === null || !isAlive(postgres))
})
