import t from 'tap'
import { konnectApplication, startTestBroker } from '../support/broker.ts'

const ids = ['portal_id', 'organization_id', 'developer_id', 'auth_strategy_id', 'dcr_provider_id']
/** Four bytes of UTF-8 and two units of UTF-16 each: the largest text that a limit in characters lets pass. */
const text = (length: number) => '\u{1f600}'.repeat(length)

t.test('a create with a member at its limit is accepted, one character or entry more is a 400 that names it', async t => {
  const { konnect } = await startTestBroker(t)
  const cases: Array<[member: string, most: unknown, more: unknown, sentence: string]> = [
    ...[...ids, 'token_endpoint_auth_method'].map(member =>
      [member, text(255), text(256), `${member} is longer than 255 characters.`] as [string, string, string, string]),
    ['application_description', text(4_096), text(4_097), 'application_description is longer than 4096 characters.'],
    ['grant_types', Array(100).fill('x'), Array(101).fill('x'), 'grant_types has more than 100 entries.'],
    ['grant_types', ['x', text(255)], ['x', text(256)], 'grant_types[1] is longer than 255 characters.'],
    ['grant_types', text(255), text(256), 'grant_types is longer than 255 characters.'],
    ['scopes', Array(100).fill('x'), Array(101).fill('x'), 'scopes has more than 100 entries.'],
    ['scopes', [text(255)], [text(256)], 'scopes[0] is longer than 255 characters.']
  ]
  for (const [index, [member, most, more, sentence]] of cases.entries()) {
    t.equal((await konnect('POST', '', konnectApplication({ client_name: `most ${index}`, [member]: most }))).status, 201, `${member} at its limit`)
    const refused = await konnect('POST', '', konnectApplication({ client_name: `more ${index}`, [member]: more }))
    t.match(refused, { status: 400, body: { error: 'invalid_client_metadata', error_description: sentence } }, sentence)
  }
})

t.test('names and redirect URIs are judged by the rules of their own', async t => {
  const { konnect } = await startTestBroker(t)
  t.equal((await konnect('POST', '', konnectApplication({ client_name: 'x'.repeat(1_000) }))).status, 201)
  t.match(await konnect('POST', '', konnectApplication({ client_name: 'x'.repeat(1_001) })), { status: 400, body: { error_description: /client_name is longer than 1000/ } })
  const tooMany = Array.from({ length: 257 }, (_, index) => `https://a.example/${index}`)
  t.match(await konnect('POST', '', konnectApplication({ redirect_uris: tooMany })), { status: 400, body: { error: 'invalid_redirect_uri', error_description: /256/ } })
  const tooLong = `https://a.example/${'x'.repeat(10_000)}`
  t.match(await konnect('POST', '', konnectApplication({ redirect_uris: tooLong })), { status: 400, body: { error: 'invalid_redirect_uri', error_description: /256/ } })
})

t.test('an event with a member at its limit is taken, one character more is a 400 that names it', async t => {
  const { konnect } = await startTestBroker(t)
  const { body: { client_id: clientId } } = await konnect('POST', '', konnectApplication())
  const hook = (changes: Record<string, unknown>) => konnect('POST', `/${clientId}/event-hook`, { event_type: 'something_new', ...changes })
  for (const member of ['event_type', 'application_id', 'api_product_version_id', 'api_id', 'audience', ...ids]) {
    t.equal((await hook({ [member]: text(255) })).status, 200, `${member} at its limit`)
    t.match(await hook({ [member]: text(256) }), { status: 400, body: { error_description: `${member} is longer than 255 characters.` } }, member)
  }
  t.match(await hook({ client_id: text(256) }), { status: 400, body: { error_description: 'client_id is longer than 255 characters.' } })
  const update = (changes: Record<string, unknown>) => hook({ event_type: 'update_application', ...changes })
  t.equal((await update({ application_description: text(4_096) })).status, 200)
  t.match(await update({ application_description: text(4_097) }), { status: 400, body: { error_description: /application_description is longer than 4096/ } })
  t.match(await update({ application_name: 'x'.repeat(1_001) }), { status: 400, body: { error_description: /application_name is longer than 1000/ } })
})
