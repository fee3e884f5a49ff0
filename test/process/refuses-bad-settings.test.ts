import t from 'tap'
import { startMain } from './main-process.ts'

async function refused (t: Pick<import('tap').Test, 'equal'>, environment: Record<string, string>): Promise<string> {
  const { code, stderr, stdout } = await startMain(environment).ended
  t.equal(code, 1)
  t.equal(stdout, '', 'nothing was started')
  return stderr
}

t.test('wrong settings are all named in one message, and the process ends with 1', async t => {
  const message = await refused(t, {
    NODE_ENV: 'production',
    PORT: 'eighty',
    LOG_LEVEL: 'loud',
    KONNECT_API_KEYS: 'short',
    DATABASE_URL: 'mysql://db.example/x',
    AZURE_TENANT_ID: 'contoso',
    PUBLIC_URL: 'http://broker.example'
  })
  for (const name of ['PORT', 'LOG_LEVEL', 'KONNECT_API_KEYS', 'DATABASE_URL', 'AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'PUBLIC_URL', 'ENCRYPTION_KEYRING_FILE']) {
    t.match(message, new RegExp(`^ +- .*\\b${name}\\b`, 'm'), name)
  }
  t.notMatch(message, /\bshort\b/, 'no value of a secret')
})

t.test('a database without a tenant is half an installation, not a sandbox', async t => {
  const message = await refused(t, { DATABASE_URL: 'postgresql://u:p@db.example/x' })
  t.match(message, /AZURE_TENANT_ID/)
  t.match(message, /ENCRYPTION_KEYRING_FILE/)
})

t.test('production without settings is refused: it never is a sandbox', async t => {
  const message = await refused(t, { NODE_ENV: 'production' })
  for (const name of ['DATABASE_URL', 'AZURE_TENANT_ID', 'ENCRYPTION_KEYRING_FILE']) t.match(message, name)
})
