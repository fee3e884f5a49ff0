// Promise 4 for settings: secrets come from variables or files and are never shown in a fault or a warning.
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { secretNames, settingNames } from '../../src/settings/schema.ts'
import { readSettings } from '../../src/settings/settings.ts'
import { faultsOf, installation } from './environment-fixture.ts'

const secretValues = {
  DATABASE_URL: 'postgresql://broker:from-file@db.example.com/broker',
  AZURE_CLIENT_SECRET: 'secret-from-file',
  KONNECT_API_KEYS: 'konnect_from_file_1,konnect_from_file_2',
  ADMIN_API_KEYS: 'operator-from-file',
  GATEWAY_API_KEYS: 'gateway-from-file',
  INITIAL_ACCESS_TOKENS: 'token-from-file'
}

t.test('every secret is read from its file, without the newline at its end', async t => {
  t.strictSame([...secretNames].sort(), Object.keys(secretValues).sort())
  for (const ending of ['', '\n', '\r\n']) {
    const dir = t.testdir()
    const { DATABASE_URL: _d, AZURE_CLIENT_SECRET: _s, ...environment }: NodeJS.ProcessEnv = installation
    for (const [name, value] of Object.entries(secretValues)) {
      await writeFile(join(dir, name), value + ending)
      environment[`${name}_FILE`] = join(dir, name)
    }
    t.match(readSettings(environment), {
      database: { url: secretValues.DATABASE_URL },
      entra: { tenant: { credential: { kind: 'secret', secret: secretValues.AZURE_CLIENT_SECRET } } },
      callers: {
        konnectApiKeys: ['konnect_from_file_1', 'konnect_from_file_2'],
        adminApiKeys: ['operator-from-file'],
        gatewayApiKeys: ['gateway-from-file'],
        initialAccessTokens: ['token-from-file']
      },
      warnings: []
    })
  }
})

t.test('only one newline is taken away: the rest belongs to the secret', async t => {
  const path = join(t.testdir(), 'secret')
  await writeFile(path, ' spaced \n\n')
  const settings = readSettings({ ...installation, AZURE_CLIENT_SECRET: undefined, AZURE_CLIENT_SECRET_FILE: path })
  t.strictSame(settings.entra.tenant?.credential, { kind: 'secret', secret: ' spaced \n' })
})

t.test('a secret given twice, an unreadable file, a folder and an empty file are faults that stand alone', async t => {
  const dir = t.testdir()
  await mkdir(join(dir, 'folder'))
  await writeFile(join(dir, 'empty'), '\n')
  await writeFile(join(dir, 'good'), 'x')
  const cases: Array<[string, NodeJS.ProcessEnv, RegExp]> = [
    ['both', { AZURE_CLIENT_SECRET_FILE: join(dir, 'good') }, /^AZURE_CLIENT_SECRET and AZURE_CLIENT_SECRET_FILE are both set/],
    ['missing', { AZURE_CLIENT_SECRET: '', AZURE_CLIENT_SECRET_FILE: join(dir, 'none') }, /^AZURE_CLIENT_SECRET_FILE .*ENOENT/],
    ['folder', { AZURE_CLIENT_SECRET: '', AZURE_CLIENT_SECRET_FILE: join(dir, 'folder') }, /^AZURE_CLIENT_SECRET_FILE .*EISDIR/],
    ['empty', { DATABASE_URL: '', DATABASE_URL_FILE: join(dir, 'empty') }, /^DATABASE_URL_FILE names an empty file/],
    ['operator keys', { OPERATIONS_HOST: '0.0.0.0', ADMIN_API_KEYS_FILE: join(dir, 'none') }, /^ADMIN_API_KEYS_FILE .*ENOENT/]
  ]
  for (const [name, change, fault] of cases) {
    const faults = faultsOf({ ...installation, ...change })
    t.ok(faults.length === 1 && fault.test(faults[0] ?? ''), name, { faults })
  }
})

t.test('a file of a setting that is no secret is a name without meaning', async t => {
  t.match(readSettings({ ...installation, AZURE_TENANT_ID_FILE: '/x' }).warnings, [/^AZURE_TENANT_ID_FILE is not a setting/])
})

t.test('no fault and no warning shows a value, whatever is wrong with it', async t => {
  const canary = 'CaNaRy'
  const path = join(t.testdir(), 'secret')
  await writeFile(path, `${canary}-in-file`)
  await chmod(path, 0o600)
  const broken = (value: string): NodeJS.ProcessEnv => Object.fromEntries(settingNames.map(name => [name, value]))
  const environments: NodeJS.ProcessEnv[] = [
    broken(canary),
    broken(`${canary},${canary},${canary} x`),
    broken(`https://user:${canary}@host/?${canary}`),
    broken(`postgresql://user:${canary}@/x`),
    { ...broken(canary), ...Object.fromEntries(secretNames.map(name => [`${name}_FILE`, path])) },
    { KONNECT_API_KEYS_FILE: path, KONNECT_API_KEY: canary, AZURE_CANARY: canary, ADMIN_API_KEYS: `${canary} space` }
  ]
  for (const environment of environments) {
    const faults = faultsOf(environment)
    t.ok(faults.length > 0)
    t.notMatch(faults.join('\n'), canary)
  }
  t.notMatch(readSettings({ KONNECT_API_KEY: canary, AZURE_CANARY: canary }).warnings.join('\n'), canary)
})
