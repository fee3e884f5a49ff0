import t from 'tap'
import { konnectApplication, startTestBroker } from '../support/broker.ts'

t.test('what is wrong with a body is said in a sentence about its member', async t => {
  const { konnect } = await startTestBroker(t)
  const { body: { client_id: clientId } } = await konnect('POST', '', konnectApplication())
  const sentenceOf = async (path: string, body: unknown) => {
    const answer = await konnect('POST', path, body, { 'content-type': 'application/json' })
    t.match(answer, { status: 400, body: { error: 'invalid_client_metadata' } })
    return answer.body.error_description.replace(/ \(request [0-9a-f-]{36}\)$/, '')
  }
  const cases: Array<[body: unknown, sentence: string]> = [
    ['', 'The body must be a JSON object.'],
    ['null', 'The body must be a JSON object.'],
    ['[]', 'The body must be a JSON object.'],
    ['"text"', 'The body must be a JSON object.'],
    [{}, 'client_name is required.'],
    [{ client_name: 3 }, 'client_name must be a string.'],
    [{ client_name: null }, 'client_name must be a string.'],
    [{ client_name: 'a', portal_id: 5 }, 'portal_id must be a string or null.'],
    [{ client_name: 'a', application_description: {} }, 'application_description must be a string or null.'],
    [{ client_name: 'a', redirect_uris: {} }, 'redirect_uris must be a list of strings, a string or null.'],
    [{ client_name: 'a', redirect_uris: ['https://a.example/', null] }, 'redirect_uris[1] must be a string.'],
    [{ client_name: 'a', scopes: [['x']] }, 'scopes[0] must be a string.']
  ]
  for (const [body, sentence] of cases) t.equal(await sentenceOf('', body), sentence)
  t.equal(await sentenceOf(`/${clientId}/event-hook`, ''), 'The body must be a JSON object.')
  t.equal(await sentenceOf(`/${clientId}/event-hook`, {}), 'event_type is required.')
  t.equal(await sentenceOf(`/${clientId}/event-hook`, { event_type: 'x', audience: 1 }), 'audience must be a string or null.')
})

t.test('a text that PostgreSQL can\'t hold is refused wherever it stands', async t => {
  const { konnect, simulator } = await startTestBroker(t)
  for (const escape of ['\\u0000', '\\ud800', '\\uDBFF', '\\udc00', '\\uDFFF', '\\udfff\\ud800']) {
    for (const [place, body] of [
      ['a member', `{"client_name":"a","portal_id":"${escape}"}`],
      ['the name', `{"client_name":"a${escape}"}`],
      ['a list', `{"client_name":"a","scopes":["x","${escape}"]}`],
      ['a member nobody knows', `{"client_name":"a","x":"${escape}"}`],
      ['a member within one nobody knows', `{"client_name":"a","x":{"y":[{"z":"${escape}"}]}}`],
      ['the name of a member', `{"client_name":"a","${escape}":1}`],
      ['the name of a member within one nobody knows', `{"client_name":"a","x":[{"${escape}":1}]}`]
    ] as const) {
      t.match(await konnect('POST', '', body), { status: 400, body: { error: 'invalid_request', error_description: /NUL or half a surrogate pair/ } }, `${escape} in ${place}`)
    }
  }
  t.equal(simulator.control.journal.entries({ path: '/v1.0/' }).length, 0, 'Graph was never asked')
  t.equal((await konnect('POST', '', '{"client_name":"a","portal_id":"\\ud83d\\ude00"}')).status, 201, 'a whole pair is a character')
})

t.test('a body that is compressed, or in another charset than UTF-8, is 415', async t => {
  const { konnect } = await startTestBroker(t)
  const statusOf = async (headers: Record<string, string>) => {
    const answer = await konnect('POST', '', konnectApplication({ client_name: JSON.stringify(headers) }), headers)
    if (answer.status === 415) t.match(answer.body, { error: 'unsupported_media_type', error_description: /\(request / })
    return answer.status
  }
  for (const encoding of ['gzip', 'br', 'identity, gzip', 'nonsense']) t.equal(await statusOf({ 'content-encoding': encoding }), 415, encoding)
  for (const charset of ['utf-16', '"UTF-16LE"', 'latin1', 'utf-8;charset=utf-16', '""', '']) {
    t.equal(await statusOf({ 'content-type': `application/json; charset=${charset}` }), 415, charset)
  }
  t.equal(await statusOf({ 'content-encoding': 'Identity' }), 201)
  for (const parameters of ['charset=utf-8', 'Charset="UTF-8"', ' charset=utf8', 'version=1']) {
    t.equal(await statusOf({ 'content-type': `application/json;${parameters}` }), 201, parameters)
  }
})

t.test('compression and charset of a body that is not there do not matter', async t => {
  const { konnect } = await startTestBroker(t)
  const { body: { client_id: clientId } } = await konnect('POST', '', konnectApplication())
  t.equal((await konnect('POST', `/${clientId}/secrets`, undefined, { 'content-type': 'application/json; charset=utf-16', 'content-encoding': 'gzip' })).status, 201)
})
