// dcr-broker policies set, show and list.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { documentOfRules, rulesOf } from '../../src/administration/policy-document.ts'
import { defaultRules } from '../../src/registration/policy.ts'
import { createCatalogue } from '../../src/store/catalogue.ts'
import { operatorDatabase } from './operator-database.ts'

const mcp = {
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_methods: ['none'],
  redirect_hosts: ['claude.ai', '*.example.com', 'localhost'],
  redirect_schemes: ['cursor', 'com.example.*'],
  max_redirect_uris: 5,
  scopes: ['orders.read'],
  max_clients: 200,
  secret_lifetime_days: 30,
  name_template: 'MCP: {client_name}',
  disclose_secret: false,
  rotate_management_token: false,
  share_public_clients: true,
  expiry: { after_days: 90, counted_from: 'use', grace_days: 14 }
}

t.test('a policy is created, shown, listed and replaced; what a file leaves out is what the release says', async t => {
  const { cli, json, run, query } = await operatorDatabase(t)
  const file = join(t.testdir(), 'policy.json')
  await writeFile(file, JSON.stringify(mcp))
  t.match(await cli('policies', 'set', 'mcp', '--file', file), { code: 0, stdout: 'The policy mcp is created.\n', complaints: [] })
  const shown = await cli('policies', 'show', 'mcp')
  t.strictSame(JSON.parse(shown.stdout), mcp)

  await writeFile(file, JSON.stringify({ max_clients: 7 }))
  t.match(await json('policies', 'set', 'mcp', '--file', file), { name: 'mcp', outcome: 'replaced', rules: { max_clients: 7, grant_types: defaultRules.grantTypes } })
  t.strictSame(JSON.parse((await cli('policies', 'show', 'mcp')).stdout), documentOfRules({ ...defaultRules, maxClients: 7 }))
  t.match(await json('policies', 'list'), [{ name: 'default', rules: documentOfRules() }, { name: 'mcp', callers: 0, rules: { max_clients: 7 } }])
  t.match((await cli('policies', 'list')).stdout, /^NAME +VERSION +CALLERS +REGISTRATIONS +UPDATED\ndefault +1 +0 +0 .*\nmcp +2 +0 +0 /)

  const catalogue = createCatalogue(run)
  await catalogue.load()
  const { rows: [row] } = await query<{ id: string }>("SELECT id FROM policy WHERE name = 'mcp'")
  t.strictSame(catalogue.policy(row?.id ?? null), { id: row?.id, name: 'mcp', rules: { ...defaultRules, maxClients: 7 } }, 'as the broker reads it')
  t.equal((await query("SELECT FROM audit_event WHERE action IN ('policy.created', 'policy.replaced')")).rowCount, 2)
})

t.test('every fault of a file is a line of its own, and nothing is written', async t => {
  const { cli, query } = await operatorDatabase(t)
  const file = join(t.testdir(), 'policy.json')
  const faulty = { grant_types: ['implicit'], max_redirect_uris: 0, maxClients: 3, expiry: { after_days: 3 }, disclose_secret: null }
  await writeFile(file, JSON.stringify(faulty))
  const { code, complaints } = await cli('policies', 'set', 'mcp', '--file', file)
  t.equal(code, 1)
  t.equal(complaints.length, 5)
  t.match(complaints, [
    /grant_types is not acceptable/, /max_redirect_uris .* 1 to 256/, /maxClients is no rule/, /expiry .* after_days/, /disclose_secret .* true or false/
  ])
  t.equal((await query("SELECT FROM policy WHERE name = 'mcp'")).rowCount, 0)
  await writeFile(file, 'grant_types:')
  t.match(await cli('policies', 'set', 'mcp', '--file', file), { code: 1, complaints: [/is not JSON/] })
  t.match(await cli('policies', 'set', 'mcp', '--file', `${file}x`), { code: 1, complaints: [/can't be read/] })
  t.match(await cli('policies', 'show', 'mcp'), { code: 1, complaints: [/There is no policy mcp/] })
})

t.test('each rule accepts its nearest good values and refuses the first bad ones', async t => {
  const cases: Array<[member: string, good: unknown[], bad: unknown[]]> = [
    ['grant_types', [null, [], ['urn:ietf:params:oauth:grant-type:device_code']], ['authorization_code', ['password'], ['client_credentials', 'client_credentials']]],
    ['token_endpoint_auth_methods', [null, ['private_key_jwt']], [['client_secret_jwt']]],
    ['redirect_hosts', [null, ['a'], ['127.0.0.1'], ['[::1]']], [['*'], ['*.'], ['https://a.example'], ['A.example'], ['a.*.example'], ['a.example/x']]],
    ['redirect_schemes', [['vscode'], ['com.example.app']], [['cursor:'], ['*'], ['Cursor']]],
    ['max_redirect_uris', [1, 256], [0, 257, 1.5, null, '5']],
    ['scopes', [['https://graph.microsoft.com/User.Read']], [['two scopes'], ['']]],
    ['max_clients', [null, 0], [-1]],
    ['secret_lifetime_days', [null, 1, 3650], [0, 3651]],
    ['name_template', [null, 'MCP {client_name}'], ['', '{name}', 'a\nb', 'x'.repeat(121)]],
    ['expiry', [null, mcp.expiry], [{ ...mcp.expiry, counted_from: 'birth' }, { ...mcp.expiry, more: 1 }, 90]]
  ]
  for (const [member, good, bad] of cases) {
    for (const value of good) t.ok('given' in rulesOf({ [member]: value }), `${member}: ${JSON.stringify(value)}`)
    for (const value of bad) t.match(rulesOf({ [member]: value }), { faults: [{ field: member, reason: new RegExp(`^${member} is not acceptable`) }] }, `${member}: ${JSON.stringify(value)}`)
  }
  t.match(rulesOf([]), { faults: [{ reason: /JSON object/ }] })
  t.strictSame(rulesOf(documentOfRules()), { given: defaultRules })
})

t.test('the versions of a policy are listed and shown, and a dry run says what a registration would become', async t => {
  const { cli, json } = await operatorDatabase(t)
  const folder = t.testdir()
  const file = async (name: string, content: unknown) => {
    await writeFile(join(folder, name), JSON.stringify(content))
    return join(folder, name)
  }
  await cli('policies', 'set', 'mcp', '--file', await file('mcp.json', mcp))
  t.match(await json('policies', 'set', 'mcp', '--file', await file('next.json', { max_clients: 7 })), { outcome: 'replaced', version: 2 })
  t.match(await json('policies', 'versions', 'mcp'), [{ version: 2, created_by: 'cli', rules: { max_clients: 7 } }, { version: 1, rules: mcp }])
  t.match((await cli('policies', 'versions', 'mcp')).stdout, /^VERSION +CREATED +BY\n2 +\S+ +cli\n1 +\S+ +cli\n$/)
  t.strictSame(JSON.parse((await cli('policies', 'show', 'mcp', '--version', '1')).stdout), mcp)
  t.match(await cli('policies', 'show', 'mcp', '--version', '3'), { code: 1, complaints: [/no version 3/] })
  t.match(await cli('policies', 'versions', 'nobody'), { code: 1, complaints: [/no such policy/] })

  const client = await file('client.json', { client_name: 'Editor', redirect_uris: ['https://other.example/cb'], token_endpoint_auth_method: 'client_secret_post' })
  t.match(await cli('policies', 'dry-run', 'mcp', '--file', client), { code: 0, stdout: /"displayName": "Editor"/ })
  const refused = await cli('policies', 'dry-run', '--rules', join(folder, 'mcp.json'), '--file', client)
  t.match(refused, { code: 1, stdout: '', complaints: [/^invalid_client_metadata: /, /^invalid_redirect_uri: .*claude\.ai/] })
  t.match(await cli('policies', 'dry-run', 'mcp', '--rules', 'x', '--file', client), { code: 2 })
  t.match(await cli('policies', 'dry-run', 'mcp', '--file', await file('odd.json', { redirect_uris: 'x' })), { code: 1, complaints: [/redirect_uris/] })
})

t.test('on a database of another release a command says so, whoever asks it', async t => {
  const { cli, query } = await operatorDatabase(t)
  const file = join(t.testdir(), 'client.json')
  await writeFile(file, JSON.stringify({ redirect_uris: ['https://app.example.com/callback'] }))
  await query('ALTER TABLE policy RENAME TO policy_of_another_release')
  for (const args of [['policies', 'list'], ['policies', 'dry-run', 'default', '--file', file]]) {
    t.match(await cli(...args), { code: 1, stdout: '', complaints: [/not at this release's schema: run `dcr-broker migrate`/] })
  }
})
