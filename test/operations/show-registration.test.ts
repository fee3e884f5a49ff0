// An operator looks at one registration.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { RegistrationBody } from '../../src/http/operations/registrations/schemas.ts'
import { authorized, createRecords, createServer, operator } from './operations-server.ts'

const canary = 'canary-Sm9-secret-bytes'

t.test('a registration is shown with its credentials and events, oldest first', async t => {
  const records = await createRecords(t)
  const event = (type: string, minute: number) => ({
    id: randomUUID(), type, applicationId: 'app-1', productId: 'v1', audience: null, digest: type, receivedAt: new Date(Date.UTC(2026, 0, 1, 0, minute))
  })
  const expiresAt = new Date('2027-01-01T00:00:00.000Z')
  const registration = await records.add({
    credential: { expiresAt },
    events: [event('remove_registration', 2), event('add_registration', 1)],
    change: { lastFault: 'throttled' }
  })
  const server = await createServer(t, { records })
  const response = await server.inject({ url: `/v2/registrations/${registration.id}`, headers: authorized })
  const body = response.json<RegistrationBody>()
  t.equal(response.statusCode, 200)
  t.match(body, { id: registration.id, state: 'active', provider: 'default', last_fault: 'throttled' })
  const [credential] = registration.credentials
  t.same(body.credentials, [{
    id: credential?.id,
    key_id: credential?.keyId,
    state: 'active',
    hint: 'abc',
    created_at: credential?.createdAt.toISOString(),
    expires_at: expiresAt.toISOString()
  }])
  t.same(body.events.map(each => [each.type, each.product_id]), [['add_registration', 'v1'], ['remove_registration', 'v1']])
})

t.test('neither a sealed secret nor a verifier leaves the database, whatever is asked for', async t => {
  const records = await createRecords(t)
  const bytes = Buffer.from(canary)
  const registration = await records.add({
    credential: { sealed: { version: 1, kid: 'k1', wrappedKey: bytes, ciphertext: bytes }, verifier: { pepperId: 'p1', digest: bytes } }
  })
  const stored = await records.database.query('SELECT 1 FROM credential WHERE seal_ciphertext = $1 AND verifier = $1', [bytes])
  t.equal(stored.rowCount, 1, 'the canary is there')
  const shown = await records.reader.show(registration.id, operator)
  const server = await createServer(t, { records })
  const answers = await Promise.all(['', `/${registration.id}`].map(async path =>
    (await server.inject({ url: `/v2/registrations${path}`, headers: authorized })).body))
  for (const text of [JSON.stringify(shown), ...answers]) {
    t.ok(text.includes(registration.id))
    for (const form of [canary, bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url'), JSON.stringify(bytes), [...bytes].join(',')]) {
      t.notOk(text.includes(form))
    }
  }
})

t.test('a registration of another provider answers as one that does not exist', async t => {
  const records = await createRecords(t)
  const providerId = await records.addProvider('other')
  const registration = await records.add()
  const server = await createServer(t, { records, caller: { ...operator, providerId } })
  const ask = async (id: string) => {
    const { statusCode, body } = await server.inject({ url: `/v2/registrations/${id}`, headers: authorized })
    return { statusCode, body: body.replace(/trace:[^"]+/, '') }
  }
  const foreign = await ask(registration.id)
  t.equal(foreign.statusCode, 404)
  t.same(foreign, await ask(randomUUID()))
})
