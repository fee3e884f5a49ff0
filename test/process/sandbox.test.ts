import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { request } from '../support/broker.ts'
import { startMain, type MainProcess } from './main-process.ts'

interface Printed { url: string, operationsUrl: string, konnectKey: string, operatorKey: string, output: string }

async function ready (main: MainProcess): Promise<Printed> {
  const output = await main.output(/Register a client:[\s\S]*curl .*\n/)
  const found = (pattern: RegExp) => pattern.exec(output)?.[1] ?? ''
  return {
    output,
    url: found(/Konnect bridge +(\S+)\/konnect/),
    konnectKey: found(/X-API-KEY: (\w+)/),
    operationsUrl: found(/Operations +(\S+)\/docs/),
    operatorKey: found(/Bearer (\w+)/)
  }
}

t.test('npm start without settings is a sandbox whose state survives a restart', async t => {
  const dir = t.testdir({})
  const environment = { PORT: '0', OPERATIONS_PORT: '0', SIMULATOR_PORT: '0', SANDBOX_DIR: dir }
  const first = startMain(environment)
  t.teardown(() => first.child.kill('SIGKILL'))
  const one = await ready(first)
  for (const part of ['DATABASE_URL', 'AZURE_TENANT_ID', 'ENCRYPTION_KEYRING_FILE']) t.match(one.output, part, `says what it replaced: ${part}`)
  t.match(one.url, /^http:\/\/(127\.0\.0\.1|localhost):\d+$/, 'on loopback only')

  const created = await request(`${one.url}/konnect`, 'POST', { client_name: 'kept' }, { 'x-api-key': one.konnectKey })
  t.equal(created.status, 201)
  t.match(await request(`${one.operationsUrl}/readyz`, 'GET'), { status: 200 })
  for (const file of ['keyring.json', 'keys.json', 'entra.json']) t.equal((await stat(join(dir, file))).mode & 0o777, 0o600, `${file} is for its owner only`)

  first.child.kill('SIGTERM')
  t.equal((await first.ended).code, 0, 'ends with grace')

  const second = startMain(environment)
  t.teardown(() => second.child.kill('SIGKILL'))
  const two = await ready(second)
  t.equal(two.konnectKey, one.konnectKey)
  const rotated = await request(`${two.url}/konnect/${created.body.client_id}/new-secret`, 'POST', undefined, { 'x-api-key': two.konnectKey })
  t.equal(rotated.status, 200, 'client, tenant and keyring are the same')
  second.child.kill('SIGTERM')
  t.equal((await second.ended).code, 0)
})
