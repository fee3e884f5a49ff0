// Hostile input on every listener, one test a scenario. The fuzzer (test/fuzz) tries what nobody has thought of; these are its named cases.
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { INITIAL_ACCESS_TOKEN, KONNECT_KEY, OPERATOR_KEY } from '../support/broker.ts'
import { bearer, GATEWAY_KEY, startTestGateway } from '../support/gateway.ts'
import { openRaw } from '../konnect/raw-request.ts'
import { applicationOf } from '../register/prepared-broker.ts'

/** A refusal takes milliseconds; this is for a machine that has everything else to do. */
const REFUSED_WITHIN_MS = 5_000
const STRANGER = '01a20951-0000-4000-8000-0000000000c1'
const URIS = ['https://orders.example.com/callback']
const shared = () => [Object.prototype, Array.prototype, Object, Function.prototype].map(each => Reflect.ownKeys(each).map(String).join())

t.test('hostile input', async t => {
  const test = await startTestGateway(t)
  const { broker, url, operationsUrl, gatewayUrl, introspect, verify, konnect, register, simulator, database, logLines } = test

  interface Sent { method?: string, body?: string | Buffer, headers?: Record<string, string> }
  const send = async (target: string, { method = 'POST', body, headers = {} }: Sent = {}) => {
    const key = target.startsWith(operationsUrl) ? OPERATOR_KEY : INITIAL_ACCESS_TOKEN
    const response = await fetch(target, {
      method, headers: { 'content-type': 'application/json', 'x-api-key': KONNECT_KEY, authorization: `Bearer ${key}`, ...headers }, ...body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }
    })
    return { status: response.status, text: await response.text() }
  }
  /** A route of each dialect that takes a body. */
  const surfaces = [`${url}/konnect`, `${url}/register`, `${operationsUrl}/v2/policies`]
  const made = async () => (await database.query<{ count: number }>('SELECT (SELECT count(*) FROM registration)::int + (SELECT count(*) FROM policy)::int AS count')).rows[0]?.count

  t.test('S7 a body that is too large, too deep, ambiguous, poisoned or in another form than it says is refused at once, and changes nothing', async t => {
    const before = { prototypes: shared(), rows: await made(), objects: simulator.control.state().applications.length }
    const good = '"client_name":"a","name":"a"'
    const cases: Array<[name: string, status: number, sent: Sent]> = [
      ['larger than the limit', 413, { body: `{${good},"x":"${'x'.repeat(256 * 1024)}"}` }],
      ['100,000 keys', 413, { body: `{${Array.from({ length: 100_000 }, (_, index) => `"${index}":1`).join()}}` }],
      ['100,000 levels', 400, { body: `${'['.repeat(100_000)}${']'.repeat(100_000)}` }],
      ['100,000 levels that never close', 400, { body: '['.repeat(100_000) }],
      ['17 levels', 400, { body: `{${good},"x":${'['.repeat(16)}1${']'.repeat(16)}}` }],
      ['a prototype', 400, { body: `{${good},"__proto__":{"polluted":1}}` }],
      ['a prototype in escapes, deep within', 400, { body: `{${good},"x":[{"\\u005f_proto__":{"polluted":1}}]}` }],
      ['a constructor\'s prototype', 400, { body: `{${good},"constructor":{"prototype":{"polluted":1}}}` }],
      ['a gzip bomb that says so', 415, { body: gzipSync(Buffer.alloc(10 * 1024 * 1024, ' ')), headers: { 'content-encoding': 'gzip' } }],
      ['a gzip bomb that does not', 400, { body: gzipSync(Buffer.alloc(10 * 1024 * 1024, ' ')) }],
      ['another charset', 415, { body: `{${good}}`, headers: { 'content-type': 'application/json; charset=utf-7' } }],
      ['two charsets', 415, { body: `{${good}}`, headers: { 'content-type': 'application/json; charset=utf-8; charset=utf-16' } }],
      ['UTF-16', 400, { body: Buffer.from(`{${good}}`, 'utf16le') }],
      ['a form', 415, { body: 'client_name=a', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
      ['no number', 400, { body: `{${good},"x":NaN}` }],
      ['a number that is infinite, where a text belongs', 400, { body: '{"client_name":1e999,"name":1e999}' }],
      ['trailing bytes', 400, { body: `{${good}} x` }],
      ['two documents', 400, { body: `{${good}}{${good}}` }],
      ['a NUL behind', 400, { body: `{${good}}\0` }],
      ['cut short', 400, { body: `{${good}` }],
      ['a member twice', 400, { body: `{${good},"client_name":"b","name":"b"}` }],
      ['a member twice, once in escapes, deep within', 400, { body: `{${good},"x":[{"a":":","\\u0061":1}]}` }],
      ['a byte that is no UTF-8', 400, { body: Buffer.from(`{${good},"x":"\xe9"}`, 'latin1') }],
      ['an overlong character', 400, { body: Buffer.from(`{${good},"x":"\xc0\xaf"}`, 'latin1') }]
    ]
    for (const surface of surfaces) {
      for (const [name, status, sent] of cases) {
        const startedMs = performance.now()
        const answer = await send(surface, sent)
        const tookMs = performance.now() - startedMs
        t.equal(answer.status, status, `${surface} ${name}: ${answer.text.slice(0, 200)}`)
        t.ok(tookMs < REFUSED_WITHIN_MS, `${name} took ${tookMs.toFixed(0)} ms`)
      }
    }
    t.same({ prototypes: shared(), rows: await made(), objects: simulator.control.state().applications.length }, before, 'nothing was made, no prototype has changed')
    t.equal(({} as Record<string, unknown>)['polluted'], undefined)
  })

  t.test('S7 a form that is too large, ambiguous, poisoned or in another form than it says is refused at once, and no token in it is active', async t => {
    const form = 'application/x-www-form-urlencoded'
    const before = shared()
    const inactive = '{"active":false}'
    const cases: Array<[name: string, status: number, body: string | Buffer, headers?: Record<string, string>]> = [
      ['larger than the limit', 413, `token=${'x'.repeat(33 * 1024)}`],
      ['10,000 parameters', 413, Array.from({ length: 10_000 }, (_, index) => `${index}=1`).join('&')],
      ['the token twice', 400, 'token=a&token=b'],
      ['the token twice, once in escapes', 400, 'token=a&%74oken=b'],
      ['another member twice', 400, 'token=a&x=1&x=2'],
      ['no token', 400, 'x=1'],
      ['an empty one', 400, 'token='],
      ['nothing', 400, ''],
      ['JSON', 415, '{"token":"x"}', { 'content-type': 'application/json' }],
      ['a form of parts', 415, '--x--', { 'content-type': 'multipart/form-data; boundary=x' }],
      ['a type that is none', 415, 'token=x', { 'content-type': 'x' }],
      ['compressed', 415, gzipSync('token=x'), { 'content-encoding': 'gzip' }],
      ['another charset', 415, 'token=x', { 'content-type': `${form}; charset=utf-16` }],
      ['a prototype', 200, 'token=x&__proto__=polluted&constructor=polluted&toString=1'],
      ['a NUL', 200, 'token=%00a.b.c'],
      ['escapes that are none', 200, 'token=%zz%&%=%'],
      ['bytes that are no UTF-8', 200, Buffer.from('token=\xe9\xff', 'latin1')],
      ['half a surrogate', 200, 'token=%ed%a0%80'],
      ['dots', 200, 'token=..'],
      ['JSON deep within a token', 200, `token=${Buffer.from('['.repeat(8_000)).toString('base64url')}.${Buffer.from('{"a":'.repeat(1_000)).toString('base64url')}.x`],
      ['a token of 30,000 characters', 200, `token=${'a'.repeat(30_000)}`]
    ]
    for (const [name, status, body, headers = {}] of cases) {
      const startedMs = performance.now()
      const answer = await send(`${gatewayUrl}/introspect`, { body, headers: { 'content-type': form, ...bearer(GATEWAY_KEY), ...headers } })
      t.equal(answer.status, status, `${name}: ${answer.text.slice(0, 200)}`)
      if (status === 200) t.equal(answer.text, inactive, name)
      t.ok(performance.now() - startedMs < REFUSED_WITHIN_MS, name)
    }
    t.same(shared(), before)
    t.equal((await introspect('x')).body.active, false)
  })

  t.test('S7 S11 whatever a client shows instead of a credential, it is refused: no failure of ours, no call of Entra, no new line of the log', async t => {
    const base64 = (text: string | Buffer) => `Basic ${Buffer.from(text).toString('base64')}`
    const shown: Array<[name: string, authorization: string]> = [
      ['nothing behind Basic', 'Basic'], ['spaces', 'Basic    '], ['no colon', base64('a')], ['a colon', base64(':')], ['colons', base64('::::')],
      ['NUL', base64('\0:\0')], ['an id and NUL', base64(`${STRANGER}:\0`)], ['an id with a line feed', base64(`${STRANGER}\n:x`)], ['a line of the log', base64('{"msg":"forged"}\r\n:x')],
      ['no UTF-8', base64(Buffer.from([0xff, 0xfe, 0x3a, 0xc0, 0xaf]))], ['a quote', base64(`${STRANGER}' or '1'='1:x`)], ['a path', base64('../users:x')],
      ['escapes that are none', base64(`${STRANGER}:%zz%`)], ['an escaped NUL', base64(`${STRANGER}:%00`)], ['half a surrogate', base64(`${STRANGER}:%ed%a0%80`)], ['an escaped id', base64(`%3${STRANGER.slice(1)}:x`)],
      ['much base64', `Basic ${'A'.repeat(14_000)}`], ['much padding', `Basic ${'='.repeat(14_000)}`], ['much space', `Basic ${' '.repeat(14_000)}x`], ['almost base64', `Basic ${'A'.repeat(14_000)}!`],
      ['a long secret', base64(`${STRANGER}:${'x'.repeat(9_000)}`)], ['a long id', base64(`${'x'.repeat(9_000)}:x`)],
      ['nothing behind Bearer', 'Bearer'], ['much padding behind Bearer', `Bearer ${'='.repeat(14_000)}`], ['dots', `Bearer ${'.'.repeat(14_000)}`], ['an almost good Bearer', `Bearer ${'a'.repeat(14_000)} `],
      ['a token of nothing', 'Bearer e30.e30.e30'], ['a token of null', 'Bearer bnVsbA.bnVsbA.x'], ['two', 'Bearer a, Basic b'], ['a scheme alone', 'Bearer\tx'], ['another', 'Negotiate x']
    ]
    const [calls, lines] = [simulator.control.journal.entries().length, logLines.length]
    for (const [name, authorization] of shown) {
      const startedMs = performance.now()
      for (const [method, path] of [['GET', '/verify'], ['POST', '/verify/orders']] as const) {
        const { status, body } = await verify({ authorization }, path, method)
        t.equal(status, 401, `${name}: ${JSON.stringify(body)}`)
      }
      t.ok(performance.now() - startedMs < REFUSED_WITHIN_MS, name)
    }
    t.equal(simulator.control.journal.entries().length, calls)
    for (const line of logLines.slice(lines)) {
      t.match(line, /^\{.*\}\n$/)
      t.not((JSON.parse(line) as { msg: string }).msg, 'forged')
    }
    const long = `/verify/${'x'.repeat(6_000)}?${'y'.repeat(6_000)}`
    t.equal((await verify({}, long)).status, 401, 'a long address of a client\'s request')
    t.equal((await verify({}, '/verify/a%2f..%2f%00')).status, 401, 'an address with escapes')
    t.equal((await verify({}, '/verify/%zz')).status, 404, 'one that can\'t be read lets nobody in')
    t.equal((await verify({ 'x-product-id': ',,, ,' })).status, 401)
  })

  t.test('S10 a name is stored whole and shown safe; one that PostgreSQL, JSON or nobody can read is refused, on each surface', async t => {
    const refused = ['\\u0000', 'a\\u0000b', '\\ud800', 'a\\udc00', '   ', '\\u200b\\u2060', '\\u202e']
    for (const name of refused) {
      t.equal((await send(`${url}/konnect`, { body: `{"client_name":"${name}"}` })).status, 400, `/konnect ${name}`)
      const answer = await send(`${url}/register`, { body: `{"client_name":"${name}","redirect_uris":["${URIS[0]}"]}` })
      // RFC 7591 §2: an empty name is as good as none.
      t.ok(answer.status === 400 || name.trim() === '', `/register ${name}: ${answer.status} ${answer.text.slice(0, 100)}`)
    }
    const shown: Array<[name: string, shown: string]> = [
      ['invoice\u202Efdp.exe', 'invoicefdp.exe'], ['pay\u200Bpal', 'paypal'], ['cafe\u0301', 'caf\u00e9'], ['  =cmd()\t|x ', '=cmd() |x'], ['\u{1F600}'.repeat(70), '\u{1F600}'.repeat(60)], ['a\r\nb', 'a b']
    ]
    for (const [name, displayName] of shown) {
      for (const answer of [await konnect('POST', '', { client_name: name }), await register({ client_name: name, redirect_uris: URIS })]) {
        t.equal(answer.status, 201, JSON.stringify(name))
        t.equal(applicationOf(simulator, answer.body.client_id).displayName, displayName)
        const { rows } = await database.query<{ name: string }>('SELECT client_name AS name FROM registration WHERE client_id = $1', [answer.body.client_id])
        t.equal(rows[0]?.name, name.trim(), 'the record has all of it')
      }
    }
  })

  t.test('S11 an id that is none of ours never reaches Entra or the database, whatever it is made of', async t => {
    const ids = [
      '..%2f..%2fusers', '%2e%2e%2fusers', '%27)%2Ffoo', '%27%20or%20appId%20ne%20%27', 'applications(appId=%27x%27)', `${STRANGER}%27`, `${STRANGER}%2f..`, `%7B${STRANGER}%7D`, `${STRANGER};x`, '%00', `${STRANGER}%00`, '$metadata', 'null', '__proto__', '%F0%9F%98%80'
    ]
    const paths: Array<[base: string, method: string, path: (id: string) => string, statuses: number[]]> = [
      [url, 'DELETE', id => `/konnect/${id}`, [404]],
      [url, 'POST', id => `/konnect/${id}/new-secret`, [404]],
      [url, 'DELETE', id => `/konnect/${STRANGER}/secrets/${id}`, [404]],
      [url, 'GET', id => `/register/${id}`, [401]],
      [url, 'GET', id => `/t/${id}/register/${STRANGER}`, [401, 404]],
      [operationsUrl, 'GET', id => `/v2/registrations/${id}`, [400]],
      [operationsUrl, 'GET', id => `/v2/registrations/${id}/audit`, [400]],
      [operationsUrl, 'GET', id => `/v2/adoptions/providers/${id}`, [400, 404]],
      [operationsUrl, 'POST', id => `/v2/reconciliation/applications/${id}/purge`, [400]]
    ]
    const calls = () => simulator.control.journal.entries({ path: '^/v1\\.0/' }).length
    const before = calls()
    for (const [base, method, path, statuses] of paths) {
      for (const id of ids) {
        const answer = await send(`${base}${path(id)}`, { method })
        t.ok(statuses.includes(answer.status), `${method} ${path(id)}: ${answer.status} ${answer.text.slice(0, 200)}`)
      }
    }
    t.equal(calls(), before, 'Graph was asked nothing')
    const mine = await konnect('POST', '', { client_name: 'mine' })
    t.ok(calls() > before, 'and would have been seen')
    t.equal((await konnect('DELETE', `/${String(mine.body.client_id).toUpperCase()}`)).status, 204, 'a GUID is one in capitals too')
  })

  t.test('a request that asks for another protocol is answered in this one and ends its connection: what follows it is not lost in silence', async t => {
    for (const listener of [url, operationsUrl, gatewayUrl]) {
      const connection = await openRaw(listener)
      connection.send('GET /nothing HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nconnection: Upgrade, HTTP2-Settings\r\n\r\n')
      t.match(await connection.answer(), { status: 404, headers: { connection: 'close' } })
      t.equal(await connection.rest(), '')
    }
  })

  t.test('S12 a line feed in whatever a caller sends starts no line of the log', async t => {
    const forged = '{"level":"info","msg":"forged"}'
    const before = logLines.length
    await konnect('POST', '', { client_name: `a\r\n${forged}\n`, portal_id: `p\n${forged}` })
    await konnect('POST', `/${STRANGER}/event-hook`, { event_type: `x\n${forged}` })
    await register({ client_name: `b\u2028${forged}`, redirect_uris: [`https://a.example/\n${forged}`] })
    for (const path of ['/konnect/%0a%7B%7D', '/nothing/%0d%0a%7B%7D', '/register/%0a']) await send(`${url}${path}`, { method: 'GET', headers: { 'user-agent': 'a\u0085b', 'x-request-id': forged } })
    await send(`${operationsUrl}/v2/policies?filter[name]=%0d%0a${encodeURIComponent(forged)}`, { method: 'GET' })
    const lines = logLines.slice(before)
    t.ok(lines.length >= 5, `${lines.length} lines`)
    for (const line of lines) {
      t.match(line, /^\{.*\}\n$/, 'one line, and that is JSON')
      t.not((JSON.parse(line) as { msg: string }).msg, 'forged')
    }
  })

  t.test('S14 a statement in a value is a value: it finds, changes and breaks nothing', async t => {
    const statements = ['\' OR \'1\'=\'1', '\'; DROP TABLE registration; --', '$1\\', '%_']
    const { body: { client_id: clientId } } = await konnect('POST', '', { client_name: 'Plain', portal_id: statements.join() })
    const lists = ['registrations', 'dcr-providers', 'application-auth-strategies', 'policies', 'callers']
    for (const statement of statements) {
      const text = encodeURIComponent(statement)
      for (const list of lists) {
        const field = list === 'registrations' ? 'client_name' : 'name'
        for (const operator of ['eq', 'contains']) {
          const { status, text: answer } = await send(`${operationsUrl}/v2/${list}?filter[${field}][${operator}]=${text}`, { method: 'GET' })
          t.equal(status, 200, `${list} ${operator} ${statement}: ${answer.slice(0, 200)}`)
          t.same(JSON.parse(answer).data, [], `${list} ${operator} ${statement} finds nothing`)
        }
      }
      for (const parameter of ['sort', 'page[after]', `filter[${text}]`, 'filter[id]']) {
        t.equal((await send(`${operationsUrl}/v2/registrations?${parameter}=${text}`, { method: 'GET' })).status, 400, `${parameter} ${statement}`)
      }
      t.equal((await send(`${operationsUrl}/v2/registrations?filter[labels.team]=${text}`, { method: 'GET' })).status, 200, 'a label')
      const named = await konnect('POST', '', { client_name: statement })
      t.equal(named.status, 201, `a client of the name ${statement}`)
      const found = await send(`${operationsUrl}/v2/registrations?filter[client_name][eq]=${text}`, { method: 'GET' })
      t.same(JSON.parse(found.text).data.map((each: { client_id: string }) => each.client_id), [named.body.client_id], 'it is found by it')
    }
    const { rows } = await database.query<{ tables: number }>('SELECT (SELECT count(*)::int FROM pg_tables WHERE tablename = \'registration\') AS tables')
    t.equal(rows[0]?.tables, 1)
    t.equal((await konnect('DELETE', `/${clientId}`)).status, 204)
    t.ok(broker.publicServer.server.listening)
  })
})
