// Answers to idempotency keys are sealed like every secret: rewrap reaches them, and no key is retired under them.
import { readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { runHere } from '../cli/run-cli.ts'
import { OPERATOR_KEY, request, startTestBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { ownedBy, webClient } from '../register/prepared-broker.ts'

/** For what happens within seconds, on a machine that has other things to do. */
const SOON_MS = 60_000

t.test('a kept answer is rewrapped byte for byte, opens under the new key, and keeps the old one from being retired until then', async t => {
  const { register, database, operationsUrl, settings: { keyringFile } } = await startTestBroker(t)
  const keysApi = async (path: string) => await request(`${operationsUrl}/v2/encryption-keys${path}`, 'POST', undefined, { authorization: `Bearer ${OPERATOR_KEY}` })
  const sealed = async () => (await database.query("SELECT seal_kid AS kid, encode(seal_ciphertext, 'hex') AS text FROM idempotency_record")).rows[0]
  const headers = { 'idempotency-key': 'kept' }
  const made = ownedBy(await register(webClient(), undefined, headers))
  const before = await sealed()

  const { active: old } = JSON.parse(await readFile(keyringFile, 'utf8')) as { active: string }
  const path = join(dirname(keyringFile), 'new.json')
  const { kid } = JSON.parse((await runHere(['keys', 'generate', path, '--from', keyringFile, '--json'])).stdout) as { kid: string }
  await rename(path, keyringFile)
  await eventually('the new key is active', async () => (await keysApi(`/${kid}/activate`)).status === 200, SOON_MS)
  await database.query("UPDATE encryption_key SET replaced_at = replaced_at - interval '16 minutes'")
  // The client's own secret is not what is in the way.
  await database.query('UPDATE credential SET seal_version = NULL, seal_kid = NULL, seal_wrapped_key = NULL, seal_ciphertext = NULL')
  await eventually('nothing else is in the way', async () => /^1 value/.test((await keysApi(`/${old}/retire`)).body.detail), SOON_MS)
  await eventually('it is rewrapped', async () => (await keysApi('/rewrap')).body.remaining === 0, SOON_MS)
  t.strictSame(await sealed(), { kid, text: before?.text })
  t.strictSame(ownedBy(await register(webClient(), undefined, headers)).body, made.body)
  t.equal((await keysApi(`/${old}/retire`)).status, 200)
})
