// dcr-broker strategies.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { operatorDatabase } from './operator-database.ts'

const TENANT = '01a20951-0000-4000-8000-000000000001'

const document = {
  name: 'orders',
  strategy_type: 'openid_connect',
  configs: {
    'openid-connect': { issuer: `https://sts.windows.net/${TENANT}/`, credential_claim: ['appid'], scopes: ['openid'], auth_methods: ['client_credentials'] }
  },
  audience: 'api://orders'
}

t.test('a strategy is made, listed, shown, changed, written for Konnect and deleted', async t => {
  const { cli, json, query } = await operatorDatabase(t)
  const file = join(t.testdir(), 'strategy.json')
  const write = async (content: unknown) => { await writeFile(file, JSON.stringify(content)) }

  await write(document)
  const made = await cli('strategies', 'create', '--file', file)
  t.match(made, { code: 0, stdout: /^Made the strategy orders \([0-9a-f-]{36}\) of provider default\.\n$/ })
  t.match(made.complaints, [/^Warning: The v1 token endpoint does not read scopes/])
  const { stdout } = await cli('strategies', 'list')
  t.match(stdout, /^NAME +ID +PROVIDER +DEFAULT +TOKENS +AUDIENCE/)
  t.match(stdout, /\ndefault +\S+ +default +yes +v1 .* environment\norders +\S+ +default +no +v1 +api:\/\/orders /)
  t.match(await json('strategies', 'list', '--provider', 'default'), [{ name: 'default' }, { name: 'orders', warnings: [/scopes/] }])
  t.match(JSON.parse((await cli('strategies', 'show', 'orders')).stdout), { ...document, is_default: false, origin: 'database' })

  await write({ is_default: true, labels: { team: 'orders' } })
  t.match(await json('strategies', 'update', 'orders', '--file', file), { name: 'orders', is_default: true, labels: { team: 'orders' } })
  t.match(JSON.parse((await cli('strategies', 'konnect', 'orders', '--dcr-provider', TENANT)).stdout), {
    name: 'orders', dcr_provider_id: TENANT, configs: { 'openid-connect': { audience_required: ['api://orders'] } }
  })
  t.match(await cli('strategies', 'delete', 'orders'), { code: 1, complaints: [/make another one the default first/] })

  await write({ ...document, name: 'next', is_default: true })
  t.match(await json('strategies', 'create', '--file', file, '--provider', 'default'), { name: 'next', is_default: true })
  t.match(await cli('strategies', 'delete', 'orders'), { code: 0, stdout: 'The strategy orders is deleted.\n' })
  t.match(await cli('strategies', 'show', 'orders'), { code: 1, complaints: [/There is no strategy orders/] })
  const { rows } = await query<{ action: string }>("SELECT action FROM audit_event WHERE actor = 'cli' ORDER BY id")
  t.strictSame(rows.map(({ action }) => action), ['strategy.created', 'strategy.changed', 'strategy.created', 'strategy.deleted'])
})

t.test('every fault of a file is a line, and the environment\'s strategy stays as it is', async t => {
  const { cli, query } = await operatorDatabase(t)
  const file = join(t.testdir(), 'strategy.json')
  const faults = async (content: unknown) => {
    await writeFile(file, JSON.stringify(content))
    const { code, complaints } = await cli('strategies', 'create', '--file', file)
    t.equal(code, 1)
    return complaints
  }
  t.match(await faults({ ...document, name: '', strategy_type: 'key_auth', nope: 1 }), [/nope is not known here/, /name must/, /name must/, /strategy_type .*openid_connect/])
  const { 'openid-connect': config } = document.configs
  t.match(await faults({ ...document, configs: { 'openid-connect': { ...config, credential_claim: ['azp'] } }, token_version: 2 }), [
    /token_version: .*set token_version to 1/, /configs\.openid-connect\.credential_claim: .*\["appid"\]/
  ])
  t.match(await faults('x'), [/The document must be object/])
  await writeFile(file, '{}')
  t.match(await cli('strategies', 'update', 'default', '--file', file), { code: 1, complaints: [/AZURE_TENANT_ID/] })
  t.match(await cli('strategies', 'create', '--file', file, '--provider', 'nobody'), { code: 1 })
  t.match(await cli('strategies', 'create'), { code: 2, complaints: [/--file is missing/] })
  t.equal((await query('SELECT FROM auth_strategy')).rowCount, 1)
})
