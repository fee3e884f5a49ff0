// F32: somebody alters sealed values in the database. What was altered does not open, nothing of it is shown, and everything else is served (promise 4).
// The roll-back of a whole row to what it once was is not among them: its parts belong together, and nothing says that they are old.
import t from 'tap'
import { ownedBy, webClient } from '../register/prepared-broker.ts'
import { isWell, isWellSoFar, startWatchedBroker, untilAnswered } from './watched-broker.ts'

const SEAL = ['seal_version', 'seal_kid', 'seal_wrapped_key', 'seal_ciphertext']

/** Each an assignment to the one credential, `c`; `other` is the one of another client. */
const alterations: Array<{ what: string, assignment: string }> = [
  { what: 'a flipped bit in the initialization vector', assignment: 'seal_ciphertext = set_byte(c.seal_ciphertext, 0, get_byte(c.seal_ciphertext, 0) # 1)' },
  { what: 'a flipped bit in the tag', assignment: 'seal_ciphertext = set_byte(c.seal_ciphertext, 20, get_byte(c.seal_ciphertext, 20) # 128)' },
  { what: 'a flipped bit in the text', assignment: 'seal_ciphertext = set_byte(c.seal_ciphertext, 30, get_byte(c.seal_ciphertext, 30) # 4)' },
  { what: 'a flipped bit in the wrapped key', assignment: 'seal_wrapped_key = set_byte(c.seal_wrapped_key, 40, get_byte(c.seal_wrapped_key, 40) # 1)' },
  { what: 'a ciphertext that is cut', assignment: 'seal_ciphertext = substr(c.seal_ciphertext, 1, length(c.seal_ciphertext) - 1)' },
  { what: 'a tag of four bytes', assignment: 'seal_ciphertext = substr(c.seal_ciphertext, 1, 16) || substr(c.seal_ciphertext, 29)' },
  { what: 'an empty ciphertext', assignment: "seal_ciphertext = ''" },
  { what: 'all sealed columns of another row', assignment: SEAL.map(column => `${column} = other.${column}`).join(', ') },
  { what: 'the ciphertext of another row', assignment: 'seal_ciphertext = other.seal_ciphertext' },
  { what: 'the wrapped key of another row', assignment: 'seal_wrapped_key = other.seal_wrapped_key' },
  { what: 'the wrapped key and the ciphertext in each other\'s place', assignment: 'seal_wrapped_key = c.seal_ciphertext, seal_ciphertext = c.seal_wrapped_key' },
  { what: 'the name of another key', assignment: "seal_kid = 'another'" },
  { what: 'another version of the format', assignment: 'seal_version = c.seal_version - 1' }
]

t.test('sealed values that were altered', async t => {
  const broker = await startWatchedBroker(t)
  const { database, register, manage, konnect, logLines } = broker
  const registered = async () => ownedBy((await untilAnswered(() => register(webClient()))).answer)
  const [client, other] = [await registered(), await registered()]
  const credentialOf = async (clientId: string) => (await database.query<{ id: string }>(
    'SELECT c.id FROM credential c JOIN registration r ON r.id = c.registration_id WHERE r.client_id = $1', [clientId])).rows[0]?.id
  const [id, otherId] = [await credentialOf(client.id), await credentialOf(other.id)]
  await database.query('CREATE TABLE kept AS SELECT * FROM credential')

  for (const { what, assignment } of alterations) {
    await t.test(`F32 ${what} is a 500 for this client that shows nothing, and the others are served`, async t => {
      const logged = logLines.length
      await database.query(`UPDATE credential c SET ${assignment} FROM credential other WHERE c.id = $1 AND other.id = $2`, [id, otherId])
      const answer = await manage('GET', client.uri, client.token)
      t.match(answer, { status: 500, body: { error: 'server_error' } })
      t.strictSame(Object.keys(answer.body), ['error', 'error_description'])
      t.ok(logLines.slice(logged).some(line => JSON.parse(line).level === 'error' && line.includes('VaultError')), 'the log tells of it')
      t.match(await manage('GET', other.uri, other.token), { status: 200, body: { client_secret: other.secret } })
      await isWellSoFar(t, broker)
      await database.query(`UPDATE credential c SET ${SEAL.map(column => `${column} = kept.${column}`).join(', ')} FROM kept WHERE kept.id = c.id`)
      t.match(await manage('GET', client.uri, client.token), { status: 200, body: { client_secret: client.secret } })
    })
  }

  await t.test('F32 a client of Konnect\'s whose sealed secret does not open is rotated', async t => {
    const { clientId } = await broker.create('Rotated')
    await database.query("UPDATE credential SET seal_ciphertext = sha256('x') WHERE id = $1", [await credentialOf(clientId)])
    t.equal((await untilAnswered(() => konnect('POST', `/${clientId}/new-secret`))).answer.status, 200)
    await isWell(t, broker)
  })
})
