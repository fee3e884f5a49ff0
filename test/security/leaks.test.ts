import { readFileSync } from 'node:fs'
import t from 'tap'
import { konnectAt } from '../../src/demo/konnect.ts'
import { story, type DirectoryObject } from '../../src/demo/story.ts'
import { KONNECT_KEY, OPERATOR_KEY, request, SECOND_KONNECT_KEY, startTestBroker } from '../support/broker.ts'
import { databaseHaystacks, searchLeaks, type Haystack } from '../support/leak-search.ts'

t.test('after the whole story no secret stands in the database or in the logs', async t => {
  const test = await startTestBroker(t, { environment: { LOG_LEVEL: 'trace' } })
  const { simulator, database, settings, url, operationsUrl, logLines, register } = test
  const secrets = new Map([
    ['first Konnect key', KONNECT_KEY],
    ['second Konnect key', SECOND_KONNECT_KEY],
    ['operator key', OPERATOR_KEY],
    ['the broker\'s own secret', simulator.broker.clientSecret]
  ])
  const keyring = JSON.parse(readFileSync(settings.keyringFile, 'utf8')) as { keys: Record<string, { k: string }>, peppers: { keys: Record<string, { k: string }> } }
  for (const [kid, { k }] of [...Object.entries(keyring.keys), ...Object.entries(keyring.peppers.keys)]) secrets.set(`key ${kid}`, k)

  const konnect = konnectAt(`${url}/konnect`, KONNECT_KEY)
  const chapters = story({
    // Whatever Konnect is given is a secret from now on.
    konnect: async (method, path, body) => {
      const answer = await konnect(method, path, body)
      if (typeof answer.body.client_secret === 'string') secrets.set(`client secret ${secrets.size}`, answer.body.client_secret)
      return answer
    },
    tenant: settings.entra.tenant,
    directory: async () => simulator.control.state() as unknown as { applications: DirectoryObject[], deletedItems: DirectoryObject[] },
    operations: async path => await request(`${operationsUrl}${path}`, 'GET', undefined, { authorization: `Bearer ${OPERATOR_KEY}` })
  })
  for (const chapter of chapters) await t.resolves(chapter.run(), chapter.title)
  // A key that is refused, and faults of Graph, are what gets logged most.
  await request(`${url}/konnect`, 'POST', { client_name: 'a' }, { 'x-api-key': `${KONNECT_KEY}_wrong` })
  await request(`${url}/konnect?x-api-key=${KONNECT_KEY}`, 'POST', { client_name: 'a' })
  simulator.control.faults.add({ match: { method: 'POST', path: 'addPassword$' }, action: { type: 'reset' }, when: 'after' })
  const { body } = await konnect('POST', '', { client_name: 'after a fault' })
  secrets.set('client secret after a fault', String(body.client_secret))
  // Answers are kept for idempotency keys, with what they show once.
  const idempotencyKey = { 'idempotency-key': 'idempotency_key_of_the_tests_1' }
  secrets.set('idempotency key', idempotencyKey['idempotency-key'])
  for (const repeated of [false, true]) {
    const registered = await register({ client_name: 'kept', redirect_uris: ['https://orders.example.com/callback'] }, undefined, idempotencyKey)
    const caller = await request(`${operationsUrl}/v2/callers`, 'POST', { kind: 'operator', name: 'kept' }, { authorization: `Bearer ${OPERATOR_KEY}`, ...idempotencyKey })
    t.strictSame([registered, caller].map(answer => [answer.status, answer.headers.has('idempotency-replayed')]), [[201, repeated], [201, repeated]])
    secrets.set('kept client secret', registered.body.client_secret)
    secrets.set('kept registration access token', registered.body.registration_access_token)
    secrets.set('kept operator key', caller.body.token)
  }
  t.ok(secrets.size >= 15, `${secrets.size} secrets are looked for`)

  const logs = (): Haystack => ({ name: 'log', bytes: Buffer.from(logLines.join('\n')) })
  t.ok(logLines.length >= 20, `${logLines.length} log lines`)
  t.strictSame(searchLeaks(secrets, [logs(), ...await databaseHaystacks(database)]), [])

  const canary = new Map([['canary', 'canary~Secret/+"with\\everything']])
  const value = canary.get('canary') as string
  await database.query('INSERT INTO audit_event (id, at, actor, action, outcome, detail) VALUES (gen_random_uuid(), now(), \'x\', \'x\', \'x\', $1)', [
    JSON.stringify({ hidden: Buffer.from(`before ${value} after`).toString('base64') })
  ])
  await database.query('INSERT INTO encryption_key (kid, state, check_value) VALUES (\'canary\', \'known\', $1)', [Buffer.from(value, 'utf16le')])
  test.broker.publicServer.log.info({ harmless: value }, 'planted')
  const found = searchLeaks(canary, [logs(), ...await databaseHaystacks(database)])
  t.ok(found.some(leak => leak.where === 'log'), 'a planted canary is found in the log')
  t.ok(found.some(leak => leak.where.startsWith('audit_event.detail')), 'and in base64 inside a JSON column')
  t.ok(found.some(leak => leak.where.startsWith('encryption_key.check_value')), 'and as UTF-16 in a bytea column')
})
