// dcr-broker providers …, on the database of a broker, with Entra behind it.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { bootstrap } from '../../src/store/bootstrap.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { createKeyringFile } from '../../src/vault/keyring.ts'
import { selfSigned } from '../entra/self-signed.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { runHere } from './run-cli.ts'

t.test('providers on the command line', async t => {
  const { url, query } = await createTestDatabase(t)
  const [first, second] = [await startSimulator(), await startSimulator()]
  t.teardown(async () => { await Promise.all([first.close(), second.close()]) })
  const { run, close } = openDatabase({ connectionString: url })
  t.teardown(close)
  await bootstrap(run, { tenantId: first.tenantId, initialClientId: first.broker.clientId, issuer: `https://sts.windows.net/${first.tenantId}/` }, [])
  const folder = t.testdir({})
  const keyring = join(folder, 'keyring.json')
  await createKeyringFile(keyring)
  const file = async (name: string, content: string) => {
    await writeFile(join(folder, name), content)
    return join(folder, name)
  }
  const environment = {
    DATABASE_URL: url,
    ENCRYPTION_KEYRING_FILE: keyring,
    AZURE_TENANT_ID: first.tenantId,
    AZURE_CLIENT_ID: first.broker.clientId,
    AZURE_CLIENT_SECRET: first.broker.clientSecret,
    AZURE_AUTHORITY_HOST: first.url,
    GRAPH_BASE_URL: first.url
  }
  const cli = async (...args: string[]) => await runHere(['providers', ...args], environment)
  const json = async (...args: string[]) => {
    const { code, stdout, complaints } = await cli(...args, '--json')
    if (code !== 0) throw new Error(complaints.join('\n'))
    return JSON.parse(stdout)
  }
  const secret = await file('secret', `${second.broker.clientSecret}\n`)
  const create = ['create', 'sales', '--issuer', `${second.url}/${second.tenantId}/v2.0`, '--client-id', second.broker.clientId]

  t.test('the environment\'s provider is listed, shown and verified with the broker\'s environment', async t => {
    t.match(await json('list'), [{ name: 'default', origin: 'environment', credential: { kind: 'secret' } }])
    t.match((await cli('list')).stdout, /^NAME +ID +ORIGIN.*\ndefault .* environment /)
    t.match(await json('show', 'default'), { tenant_id: first.tenantId, authority_host: first.url })
    t.match(await cli('verify', 'default'), { code: 0, stdout: /token +passed +Entra ID accepts[^]*cleanup +passed/ })
    const bare = await runHere(['providers', 'verify', 'default'], { DATABASE_URL: url })
    t.match(bare, { code: 1, stdout: /names no tenant/ })
    t.match(await runHere(['providers', 'list'], { DATABASE_URL: url }), { code: 0 })
  })

  t.test('a provider is made with a secret from a file, changed, and verified; the secret is shown by nothing', async t => {
    const made = await cli(...create, '--secret-file', secret, '--labels', 'team=sales,tier=1', '--display-name', 'Sales')
    t.match(made, { code: 0, stdout: /^Made the provider sales \(.*providers verify 'sales'/ })
    t.match(await json('show', 'sales'), { display_name: 'Sales', labels: { team: 'sales', tier: '1' }, credential: { kind: 'secret', verified_at: null } })
    t.match(await json('update', 'sales', '--labels', 'tier', '--secret-file', secret, '--secret-expires-at', '2099-01-01T00:00:00Z'), { labels: { team: 'sales' }, credential: { expires_at: '2099-01-01T00:00:00.000Z' } })
    t.match(await json('verify', 'sales'), { ok: true, findings: [{ check: 'token' }, { check: 'expiry' }] })
    t.match(await json('show', 'sales'), { credential: { verified_at: /^20/ } })
    const { rows } = await query<{ text: string }>('SELECT audit_event::text AS text FROM audit_event')
    t.ok(rows.some(({ text }) => /provider\.created/.test(text) && /cli/.test(text)))
    for (const text of [made.stdout, ...rows.map(each => each.text)]) t.notMatch(text, second.broker.clientSecret)
  })

  t.test('credentials are added, verified, activated and removed', async t => {
    const next = selfSigned()
    const pem = await file('next.pem', next.key + next.certificate)
    const added = await json('credentials', 'add', 'sales', '--certificate-file', pem)
    t.match(added, { kind: 'certificate', state: 'standby' })
    t.match(await cli('credentials', 'verify', 'sales', added.id), { code: 1, stdout: /token +failed +The certificate is not registered/ })
    t.match(await cli('credentials', 'activate', 'sales', added.id), { code: 1, complaints: [/never passed a verification/] })
    second.control.addCertificate(second.broker.clientId, next.certificate)
    t.match(await cli('credentials', 'verify', 'sales', added.id), { code: 0 })
    t.match(await cli('credentials', 'activate', 'sales', added.id), { code: 0, stdout: /is in use/ })
    const [former] = await json('credentials', 'list', 'sales')
    t.match(former, { kind: 'secret', state: 'standby' })
    t.match(await cli('credentials', 'remove', 'sales', added.id), { code: 1, complaints: [/in use/] })
    t.match(await cli('credentials', 'remove', 'sales', former.id), { code: 0, stdout: /is erased/ })
    t.match((await cli('credentials', 'list', 'sales')).stdout, /^ID +STATE +KIND.*\n[^\n]* active +certificate [^\n]*\n$/)
  })

  t.test('what can\'t be done is a line and exit code 1, a wrong command line exit code 2', async t => {
    const cases: Array<[string[], number, RegExp]> = [
      [[...create, '--secret-file', secret], 1, /name already/],
      [['create', 'x', '--issuer', 'https://evil.example/', '--client-id', second.broker.clientId, '--secret-file', secret], 1, /names no tenant/],
      [['create', 'x', ...create.slice(2)], 2, /credential is missing/],
      [['create', 'a/b', ...create.slice(2), '--secret-file', secret], 2, /name is not acceptable/],
      [['create', 'x', ...create.slice(2), '--secret-file', join(folder, 'none')], 1, /can't be read \(ENOENT\)/],
      [['create', 'x', ...create.slice(2), '--federated'], 1, /AZURE_FEDERATED_TOKEN_FILE is not set/],
      [['update', 'sales'], 2, /Nothing is to change/],
      [['update', 'default', '--display-name', 'x'], 1, /AZURE_TENANT_ID/],
      [['show', 'nobody'], 1, /There is no provider nobody\./],
      [['credentials', 'activate', 'sales'], 2, /two arguments/],
      [['credentials'], 2, /Known: list, add, verify, activate, remove/],
      [['credentials', 'show'], 2, /Unknown action: providers credentials show/],
      [['rotate'], 2, /Known: list, show, create, update, delete, verify, import, credentials/]
    ]
    for (const [args, code, complaint] of cases) t.match(await cli(...args), { code, complaints: [complaint] }, args.join(' '))
    const unsealed = await runHere(['providers', 'update', 'sales', '--secret-file', secret], { DATABASE_URL: url })
    t.match(unsealed, { code: 1, complaints: [/ENCRYPTION_KEYRING_FILE is missing/] })
    t.match((await cli('credentials', '--help')).stdout, /providers credentials add/)
  })

  t.test('the environment\'s provider is imported, and one that nothing uses is deleted', async t => {
    t.match(await json('import', 'default'), { origin: 'database', credential: { kind: 'secret' } })
    t.match(await cli('import'), { code: 1, complaints: [/kept in the database already/] })
    t.match(await json('verify', 'default'), { ok: true })
    t.match(await cli('delete', 'default', '--force'), { code: 1, complaints: [/can't be deleted/] })
    t.match(await cli('delete', 'sales'), { code: 0, stdout: /^The provider sales \(.*\) is deleted/ })
    t.match(await json('list'), [{ name: 'default' }])
  })
})
