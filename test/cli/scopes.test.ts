// dcr-broker scopes set, list and remove.
import t from 'tap'
import { createCatalogue } from '../../src/store/catalogue.ts'
import { operatorDatabase } from './operator-database.ts'

const resource = '11111111-2222-3333-4444-555555555555'
const permission = '66666666-7777-8888-9999-aaaaaaaaaaaa'
const meaning = ['--resource', resource, '--permission', permission, '--type']

t.test('a scope is created, replaced, listed and removed, and the broker reads the same', async t => {
  const { cli, json, run, query } = await operatorDatabase(t)
  t.match(await cli('scopes', 'set', 'orders.read', ...meaning, 'Scope'), { code: 0, stdout: 'The scope orders.read of provider default is created.\n', complaints: [] })
  t.strictSame(await json('scopes', 'set', 'orders.read', ...meaning, 'Role'), { name: 'orders.read', provider: 'default', outcome: 'replaced' })
  await cli('scopes', 'set', 'orders.all', ...meaning, 'Scope', '--grant')
  const expected = { provider: 'default', resource, permission }
  t.strictSame(await json('scopes', 'list'), [
    { name: 'orders.all', ...expected, type: 'Scope', granted: true }, { name: 'orders.read', ...expected, type: 'Role', granted: false }
  ])
  t.match((await cli('scopes', 'list', '--provider', 'default')).stdout, /^NAME +PROVIDER +RESOURCE +PERMISSION +TYPE +GRANTED\norders\.all +default /)

  const { rows: [provider] } = await query<{ id: string }>('SELECT id FROM provider')
  const catalogue = createCatalogue(run)
  await catalogue.load()
  t.strictSame(catalogue.scopes(provider?.id ?? '').get('orders.read'), {
    name: 'orders.read', resourceAppId: resource, permissionId: permission, type: 'Role', granted: false
  })

  t.equal((await cli('scopes', 'remove', 'orders.read')).code, 0)
  t.match(await cli('scopes', 'remove', 'orders.read'), { code: 1, stdout: '', complaints: [/There is no scope orders\.read at provider default/] })
  t.match(await json('scopes', 'list'), [{ name: 'orders.all' }])
  t.equal((await query("SELECT FROM audit_event WHERE action LIKE 'scope.%'")).rowCount, 4)
})

t.test('a provider that is not there is one line and exit code 1', async t => {
  const { cli } = await operatorDatabase(t)
  for (const args of [['set', 'x', ...meaning, 'Scope'], ['list'], ['remove', 'x']]) {
    t.match(await cli('scopes', ...args, '--provider', 'nowhere'), { code: 1, stdout: '', complaints: ['dcr-broker: There is no provider nowhere.'] })
  }
})
