// Promise 4 for whoever prints: an object of ours that holds a secret does not show it, whichever way it is turned into text.
import { inspect } from 'node:util'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { createEntraDirectories } from '../../src/entra/entra-directories.ts'
import { isSameCredential } from '../../src/entra/broker-credential.ts'
import { completeSettings, type CompleteSettings } from '../../src/settings/complete-settings.ts'
import { readSettings } from '../../src/settings/settings.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { createEnvelopeVault } from '../../src/vault/envelope-vault.ts'
import { createKeyringFile, openKeyring } from '../../src/vault/keyring.ts'
import { installation } from '../settings/environment-fixture.ts'
import { createTestDatabase } from '../support/postgres.ts'

const secrets = {
  database: 'CaNaRy-database-password',
  credential: 'CaNaRy~credential.of.the.broker',
  konnect: 'CaNaRy_konnect_key',
  operator: 'CaNaRy-operator-key',
  gateway: 'CaNaRy-gateway-key',
  registrant: 'CaNaRy-initial-access-token'
}

/** Everything a person or a library does to see what is in a value. */
const printed = (value: unknown): string => [
  inspect(value, { depth: 20, maxArrayLength: null }), String(value), JSON.stringify(value), inspect(new Error('thrown', { cause: value }), { depth: 20 }),
  inspect(Object.assign(new Error('thrown'), { value }), { depth: 20 })
].join('\n')

const settings = (): CompleteSettings => completeSettings(readSettings({
  ...installation,
  DATABASE_URL: `postgresql://broker:${secrets.database}@db.example.com/broker`,
  AZURE_CLIENT_SECRET: secrets.credential,
  KONNECT_API_KEYS: secrets.konnect,
  ADMIN_API_KEYS: secrets.operator,
  GATEWAY_API_KEYS: secrets.gateway,
  INITIAL_ACCESS_TOKENS: secrets.registrant
}))

t.test('S4 settings show no secret when they are printed, copied in part, thrown or put into JSON, and give it to whoever asks', async t => {
  const all = settings()
  const { database, callers, entra: { tenant } } = all
  const views = [all, { ...all }, { ...all, logLevel: 'trace' }, database, callers, tenant, { ...tenant }, tenant.credential, [callers]]
  for (const view of views) t.notMatch(printed(view), /CaNaRy/)
  t.match(printed(all), /\[redacted\]/)
  t.match(printed(all), tenant.clientId, 'what is no secret stays')
  t.equal(tenant.credential.kind === 'secret' && tenant.credential.secret, secrets.credential)
  t.same([database.url, callers.konnectApiKeys, callers.gatewayApiKeys], [`postgresql://broker:${secrets.database}@db.example.com/broker`, [secrets.konnect], [secrets.gateway]])
})

t.test('S4 what a sandbox has made is concealed as well', async t => {
  const made = completeSettings(readSettings({}), {
    databaseUrl: `postgresql://postgres:${secrets.database}@127.0.0.1/postgres`,
    keyringFile: '/keyring',
    tenant: { ...settings().entra.tenant, credential: { kind: 'secret', secret: secrets.credential } },
    konnectApiKeys: [secrets.konnect],
    adminApiKeys: [secrets.operator],
    initialAccessTokens: [secrets.registrant]
  })
  t.notMatch(printed(made), /CaNaRy/)
})

t.test('two secrets of the broker that print alike are still two', async t => {
  const { credential } = settings().entra.tenant
  t.ok(isSameCredential(credential, { kind: 'secret', secret: secrets.credential }))
  t.notOk(isSameCredential(credential, { kind: 'secret', secret: 'another' }))
  t.notOk(isSameCredential({ kind: 'certificate', path: '/a' }, { kind: 'federated', tokenFile: '/a' }))
})

t.test('S4 keyring, vault, directories and database client show nothing of what they hold', async t => {
  const path = `${t.testdir()}/keyring.json`
  await createKeyringFile(path)
  const keyring = await openKeyring(path, { info () {}, error () {} })
  t.teardown(() => keyring.close())
  const material = [...readFileSync(path, 'utf8').matchAll(/"k": "([^"]+)"/g)].map(([, k = '']) => k)
  t.equal(material.length, 2)
  const shown = printed([keyring, keyring.current(), createEnvelopeVault(keyring)])
  for (const k of material) {
    for (const form of [k, Buffer.from(k, 'base64url').toString('hex'), [...Buffer.from(k, 'base64url')].slice(0, 8).join(', ')]) t.notOk(shown.includes(form))
  }

  const { tenant } = settings().entra
  const directories = createEntraDirectories([{ providerId: 'default', ...tenant, graphBaseUrl: `${tenant.graphBaseUrl}/v1.0`, attemptTimeoutMs: 1_000 }])
  t.teardown(() => directories.close())
  t.notMatch(printed(directories), /CaNaRy/)

  const { url } = await createTestDatabase(t)
  const withPassword = Object.assign(new URL(url), { username: 'CaNaRy_role', password: secrets.database })
  for (const connectionString of [url, withPassword.href]) {
    const { password } = new URL(connectionString)
    const { prisma, close } = openDatabase({ connectionString })
    t.teardown(close)
    const outcome: unknown = await prisma.installation.count().catch((error: unknown) => error)
    for (const value of [prisma, outcome]) t.notOk(password !== '' && inspect(value, { depth: 3 }).includes(password))
  }
})
