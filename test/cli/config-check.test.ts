// dcr-broker config-check.
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createKeyringFile } from '../../src/vault/keyring.ts'
import { runHere } from './run-cli.ts'

const guid = '11111111-2222-3333-4444-555555555555'
const secrets = ['hunter2-database', 'hunter2-client-secret', 'hunter2_konnect_key', 'hunter2-operator-key']

function installation (keyring: string): Record<string, string> {
  return {
    DATABASE_URL: `postgresql://broker:${secrets[0]}@db.example.com:5432/dcr?sslmode=require`,
    AZURE_TENANT_ID: guid,
    AZURE_CLIENT_ID: guid,
    AZURE_CLIENT_SECRET: String(secrets[1]),
    ENCRYPTION_KEYRING_FILE: keyring,
    PUBLIC_URL: 'https://dcr.example.com/',
    KONNECT_API_KEYS: `${secrets[2]},another_konnect_key`,
    ADMIN_API_KEYS: String(secrets[3])
  }
}

async function keyringFile (t: Tap): Promise<string> {
  const path = join(t.testdir(), 'keyring.json')
  await createKeyringFile(path)
  return path
}

type Tap = Pick<typeof t, 'testdir'>

t.test('a good configuration is summed up without a secret, in words and in JSON', async t => {
  const environment = { ...installation(await keyringFile(t)), KONNECT_API_KEY: 'hunter2_typing_error' }
  const words = await runHere(['config-check'], environment)
  t.equal(words.code, 0)
  t.match(words.stdout, /^database +db\.example\.com:5432\/dcr$/m)
  t.match(words.stdout, /^callers\.konnect +2$/m)
  t.match(words.complaints, ['Warning: KONNECT_API_KEY is not a setting of the broker and has no effect.'])
  const json = await runHere(['config-check', '--json'], environment)
  t.equal(json.code, 0)
  t.match(JSON.parse(json.stdout), {
    valid: true,
    sandbox: false,
    public_url: 'https://dcr.example.com',
    database: 'db.example.com:5432/dcr',
    entra: { tenant_id: guid, credential: 'secret' },
    callers: { konnect: 2, operators: 1, initial_access_tokens: 0 }
  })
  for (const text of [words.stdout, words.complaints.join(), json.stdout]) t.notMatch(text, 'hunter2')
})

t.test('every fault of the settings and of the keyring file is a line of its own; exit code 1', async t => {
  const keyring = await keyringFile(t)
  await chmod(keyring, 0o644)
  const { PUBLIC_URL: _, ...environment } = installation(keyring)
  const faulty = { ...environment, PORT: 'many', ADMIN_API_KEYS: 'hunter2' }
  const { code, stdout, complaints } = await runHere(['config-check'], faulty)
  t.equal(code, 1)
  t.equal(stdout, '')
  for (const name of ['PUBLIC_URL is missing', 'PORT is not acceptable', 'ADMIN_API_KEYS entry 1', 'ENCRYPTION_KEYRING_FILE: Others can read']) {
    t.equal(complaints.filter(line => line.startsWith(`dcr-broker: ${name}`)).length, 1, name)
  }
  t.equal(complaints.length, 4)
  const json = await runHere(['config-check', '--json'], faulty)
  t.equal(json.code, 1)
  t.equal((JSON.parse(json.stdout) as { faults: string[] }).faults.length, 4)
  t.notMatch([...complaints, json.stdout].join(), 'hunter2')
})

t.test('a sandbox says what it replaces', async t => {
  const { code, stdout } = await runHere(['config-check'])
  t.equal(code, 0)
  t.match(stdout, /^sandbox +yes, replaces database, tenant, keyring/m)
})
