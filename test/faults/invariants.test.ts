// The invariants find what is planted, each kind of it; else a green scenario would prove nothing.
import t from 'tap'
import { graphAs } from '../lifecycle/graph.ts'
import { QUICK } from '../lifecycle/times.ts'
import { konnectApplication, request, startTestBroker } from '../support/broker.ts'
import { ourApplications } from '../support/entra-truth.ts'
import { violations, violationsAtRest } from './invariants.ts'
import { Ledger } from './ledger.ts'

t.test('the invariants', async t => {
  const broker = await startTestBroker(t, { environment: QUICK })
  const { simulator, database, logLines } = broker
  const ledger = new Ledger()
  const konnect = ledger.watch(broker.konnect)
  const world = { simulator, database, logLines, ledger }
  const create = async (name: string) => (await konnect('POST', '', konnectApplication({ client_name: name }))).body
  const graph = await graphAs(simulator, simulator.broker)
  const tagsOf = (clientId: string) => ourApplications(simulator).find(({ appId }) => appId === clientId)?.tags
  const objectOf = (clientId: string) => ourApplications(simulator).find(({ appId }) => appId === clientId)?.id

  const { client_id: clientId, client_secret: secret } = await create('Kept')
  const rotated = await create('Rotated')
  const deleted = await create('Deleted')
  await konnect('POST', `/${rotated.client_id}/new-secret`)
  await konnect('DELETE', `/${deleted.client_id}`)
  const { rows: [kept] } = await database.query<{ id: string }>('SELECT id FROM registration WHERE client_id = $1', [clientId])
  const row = `WHERE id = '${kept?.id}'`
  const credential = `WHERE registration_id = '${kept?.id}'`

  t.test('have nothing to say about a client that is kept, one that is rotated and one that is deleted', async t => {
    t.same(await violationsAtRest(world), [])
  })

  t.test('find', async t => {
    /** What was planted is taken back, so that the next one is found for its own sake. */
    const planted = async (what: string, sentence: RegExp, plant: () => Promise<unknown>, takeBack: () => Promise<unknown>) =>
      await t.test(what, async t => {
        await plant()
        const found = await violations(world)
        t.ok(found.some(text => sentence.test(text)), found.join('\n'))
        await takeBack()
        t.same(await violations(world), [])
      })
    const set = (table: string, where: string, wrong: string, right: string): [() => Promise<unknown>, () => Promise<unknown>] =>
      [() => database.query(`UPDATE ${table} SET ${wrong} ${where}`), () => database.query(`UPDATE ${table} SET ${right} ${where}`)]
    const purge = async (id: string) => {
      await graph('DELETE', `/applications/${id}`)
      await graph('DELETE', `/directory/deletedItems/${id}`)
    }
    let made = ''
    const make = async (tags: string[] = []) => { made = (await graph('POST', '/applications', { displayName: 'Planted', tags })).body.id }

    await planted('I1: a second application of a registration', /^I1: two live/, () => make(tagsOf(clientId)), () => purge(made))
    await planted('I2: an application without a row', /^I2: an orphan .* not there/,
      () => make([...tagsOf(clientId)?.filter(tag => !tag.startsWith('dcr-reg:')) ?? [], 'dcr-reg:01a20951-0000-7000-8000-000000000000']), () => purge(made))
    await planted('I2: an application whose row has ended', /^I2: an orphan .* undone/, ...set('registration', row, "state = 'undone'", "state = 'active'"))
    await planted('I2: a deleted object that nobody will purge', /^I2: a deleted object/,
      ...set('registration', `WHERE client_id = '${deleted.client_id}'`, 'purge_at = NULL', "purge_at = now() + interval '1 day'"))
    await planted('I3: a delivered secret that works no more', /^I3: the secret .* does not work and is recorded as active/,
      async () => { simulator.control.lag({ secretDelayMs: 3_600_000 }) }, async () => { simulator.control.lag({ secretDelayMs: 0 }) })
    await planted('I3: a secret that is recorded as revoked and works', /^I3: the secret .* and works/, ...set('credential', credential, "state = 'revoked'", "state = 'active'"))
    await planted('I3: a password of ours that no row knows', /^I3: a password of ours that no row knows/,
      async () => { made = (await graph('POST', `/applications/${objectOf(clientId)}/addPassword`, { passwordCredential: { displayName: 'dcr:x:y' } })).body.keyId },
      () => graph('POST', `/applications/${objectOf(clientId)}/removePassword`, { keyId: made }))
    await planted('I3: an active secret that is not in Entra', /^I3: the active secret/,
      ...set('credential', credential, "key_id = 'f0000000-0000-4000-8000-000000000000'", `key_id = '${ourApplications(simulator).find(({ appId }) => appId === clientId)?.passwordCredentials[0]?.keyId}'`))
    await planted('I4: a secret in a log', /^I4: a secret of .* a log \(base64\)/,
      async () => { logLines.push(`{"msg":"${Buffer.from(`x${secret}y`).toString('base64')}"}`) }, async () => { logLines.pop() })
    await planted('I4: a secret that nobody was given, in a log', /^I4: something that looks like a secret stands in a log/,
      async () => { logLines.push('{"msg":"unreadable: {secretText: abc~def.ghi_jklmnopqrst"}') }, async () => { logLines.pop() })
    await planted('I4: a secret in the database', /^I4: a secret of .* registration\.last_fault/, ...set('registration', row, `last_fault = '${secret}'`, 'last_fault = NULL'))
    await planted('I4: a secret in a refusal', /^I4: a secret of .* the refusal of GET/,
      () => ledger.record('GET', '/x', async () => ({ status: 500, headers: new Headers(), body: { error_description: `no ${secret}` } })), async () => { ledger.calls.pop() })
    await planted('I5: a client whose row is gone', /^I5: the client .* has no row/,
      ...set('registration', row, "client_id = 'f0000000-0000-4000-8000-000000000000'", `client_id = '${clientId}'`))
    await planted('I5: a client that was undone', /^I5: the client .* is undone/, ...set('registration', row, "state = 'undone'", "state = 'active'"))
    await planted('I5: a deleted client that lives', /^I5: the client .* deleted and is active/,
      ...set('registration', `WHERE client_id = '${deleted.client_id}'`, "state = 'active'", "state = 'deleted'"))
    await planted('I5: an active row without its application', /^I5: no application/,
      ...set('registration', row, "object_id = 'f0000000-0000-4000-8000-000000000000'", `object_id = '${objectOf(clientId)}'`))
    await planted('I6: a call that takes too long', /^I6: GET \/late took/,
      async () => { ledger.calls.push({ method: 'GET', path: '/late', startedAtMs: 0, endedAtMs: 12_100, answer: null }) }, async () => { ledger.calls.pop() })
    await planted('I6: a call that never ends', /^I6: GET \/never has not ended/,
      async () => { ledger.calls.push({ method: 'GET', path: '/never', startedAtMs: 0, endedAtMs: null, answer: null }) }, async () => { ledger.calls.pop() })
    await planted('I3: a secret that is revoked although nobody asked', /^I3: .* although nobody asked/, async () => {
      // Beside the ledger.
      await request(`${broker.url}/konnect/${clientId}/new-secret`, 'POST', undefined, { 'x-api-key': 'konnect_key_of_the_tests_1' })
    }, async () => { ledger.noteChangeInPortal(clientId) })
  })
})
