// Bytes that are no request, several, or only the beginning of one.
import fc from 'fast-check'
import type { Listener } from './described-routes.ts'

export interface RawCase {
  kind: 'raw'
  name: string
  listener: Listener
  /** Each is sent after a moment's pause. */
  parts: Buffer[]
  /** The most answers that what was sent can have. */
  mostAnswers: number
  /** `end`: this side says that it is done. `hold`: it stays, and the broker has to end it. `leave`: it resets the connection. */
  then: 'end' | 'hold' | 'leave'
}

const KEY = 'x-api-key: konnect_key_of_the_tests_1\r\nauthorization: Bearer operator_key_of_the_tests_1\r\n'
const HOST = 'host: broker.example\r\n'
const POST = `POST /konnect HTTP/1.1\r\n${HOST}${KEY}content-type: application/json\r\n`
const GET = `GET /v2/policies HTTP/1.1\r\n${HOST}${KEY}\r\n`
const HIDDEN = `GET /konnect/x/secrets HTTP/1.1\r\n${HOST}${KEY}\r\n`

type Described = Omit<RawCase, 'kind' | 'listener'>

function described (name: string, bytes: string | Buffer | string[], mostAnswers = 1, then: RawCase['then'] = 'end'): Described {
  const parts = (Array.isArray(bytes) ? bytes : [bytes]).map(part => typeof part === 'string' ? Buffer.from(part, 'latin1') : part)
  return { name, parts, mostAnswers, then }
}

const chunked = (rest: string, te = 'transfer-encoding: chunked\r\n') => `${POST}${te}\r\n${rest}`

const smuggling = [
  described('CL.TE', `${POST}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`),
  described('TE.CL', `${POST}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n5c\r\n${HIDDEN}0\r\n\r\n`),
  ...['transfer-encoding : chunked', 'transfer-encoding: xchunked', 'transfer-encoding: chunked, identity', 'transfer-encoding:\tchunked', 'transfer-encoding: identity, chunked', 'transfer-encoding: chunked\r\ntransfer-encoding: x',
    ' transfer-encoding: chunked', 'transfer-encoding:\x0bchunked', 'transfer-encoding: "chunked"', 'x: y\r\n transfer-encoding: chunked', 'transfer-encoding: chunked\x00', 'transfer_encoding: chunked'
  ].map(header => described(`TE tricks: ${JSON.stringify(header)}`, `${POST}${header}\r\ncontent-length: 4\r\n\r\n0\r\n\r\n${HIDDEN}`, 3)),
  ...['content-length: 2\r\ncontent-length: 3', 'content-length: 2, 2', 'content-length: +2', 'content-length: -2', 'content-length: 0x2', 'content-length: 2 2', 'content-length: 99999999999999999999', 'content-length:', 'content-length : 2', 'content-length: 2\x0b'
  ].map(header => described(`CL tricks: ${JSON.stringify(header)}`, `${POST}${header}\r\n\r\n{}`, 2))
]

const chunks = [
  described('a chunked body', chunked('2\r\n{}\r\n0\r\n\r\n')),
  described('a chunk size that is none', chunked('zz\r\n{}\r\n0\r\n\r\n')),
  described('a chunk size beyond measure', chunked('ffffffffffffffffff\r\n{}')),
  described('a chunk of its greatest size', chunked('7fffffffffffffff\r\n{}')),
  described('a negative chunk', chunked('-1\r\n{}\r\n0\r\n\r\n')),
  described('chunks too many', chunked(`${'1\r\n \r\n'.repeat(20_000)}2\r\n{}\r\n0\r\n\r\n`)),
  described('an endless chunk extension', chunked(`2;${'a=b;'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`)),
  described('many chunk extensions', chunked(`${'1;a=b\r\n \r\n'.repeat(8_000)}0\r\n\r\n`)),
  described('endless trailers', chunked(`2\r\n{}\r\n0\r\n${'x: y\r\n'.repeat(20_000)}\r\n`)),
  described('a trailer that is dangerous', chunked('2\r\n{}\r\n0\r\ncontent-length: 5\r\n__proto__: x\r\n\r\n')),
  described('chunks with bare line feeds', chunked('2\n{}\n0\n\n')),
  described('a chunked body too large', chunked(`${'10000\r\n'}${'x'.repeat(65_536)}\r\n`.repeat(6) + '0\r\n\r\n')),
  described('a chunk cut short', chunked('ff\r\n{}'), 1, 'end')
]

const lines = [
  ['no version', 'GET /konnect\r\n\r\n'], ['HTTP/0.9', 'GET /\r\n'], ['HTTP/1.0', `GET /v2/policies HTTP/1.0\r\n${KEY}\r\n`], ['HTTP/2.0', `GET / HTTP/2.0\r\n${HOST}\r\n`], ['HTTP/9.9', `GET / HTTP/9.9\r\n${HOST}\r\n`],
  ['HTTP/1.10', `GET / HTTP/1.10\r\n${HOST}\r\n`], ['no Host', `GET /v2/policies HTTP/1.1\r\n${KEY}\r\n`], ['two Hosts', `GET / HTTP/1.1\r\n${HOST}host: other.example\r\n\r\n`], ['an empty Host', `GET / HTTP/1.1\r\nhost:\r\n${KEY}\r\n`],
  ['a Host that is none', 'GET / HTTP/1.1\r\nhost: a b@c/../\xff\r\n\r\n'], ['bare line feeds', 'GET / HTTP/1.1\nhost: x\n\n'], ['bare returns', 'GET / HTTP/1.1\rhost: x\r\r'], ['a folded header', `GET / HTTP/1.1\r\n${HOST}x: a\r\n b\r\n\r\n`],
  ['a header without a colon', `GET / HTTP/1.1\r\n${HOST}x\r\n\r\n`], ['a header without a name', `GET / HTTP/1.1\r\n${HOST}: x\r\n\r\n`], ['a NUL in a header', `GET / HTTP/1.1\r\n${HOST}x: a\0b\r\n\r\n`], ['a space in a name', `GET / HTTP/1.1\r\n${HOST}x y: a\r\n\r\n`],
  ['a NUL in the path', `GET /\0 HTTP/1.1\r\n${HOST}\r\n`], ['bytes in the path', `GET /\xff\xfe/\x80 HTTP/1.1\r\n${HOST}${KEY}\r\n`], ['spaces in the path', `GET /a b HTTP/1.1\r\n${HOST}\r\n`], ['an authority', `CONNECT evil.example:443 HTTP/1.1\r\n${HOST}\r\n`],
  ['an asterisk', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`], ['a path of 100,000', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n${HOST}\r\n`], ['a header of 100,000', `GET / HTTP/1.1\r\n${HOST}x: ${'a'.repeat(100_000)}\r\n\r\n`],
  ['10,000 headers', `GET / HTTP/1.1\r\n${HOST}${'x: y\r\n'.repeat(10_000)}\r\n`], ['2,500 short headers', `GET /v2/policies HTTP/1.1\r\n${HOST}${KEY}${'a:\r\n'.repeat(2_500)}\r\n`], ['empty lines first', `\r\n\r\n\r\n${GET}`], ['100,000 empty lines', '\r\n'.repeat(100_000)],
  ['a TLS hello', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03' + 'x'.repeat(160)], ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00'], ['an upgrade', `GET /konnect HTTP/1.1\r\n${HOST}connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\n\r\n`],
  ['SMTP', 'EHLO x\r\n'], ['Redis', '*1\r\n$4\r\nINFO\r\n'], ['PostgreSQL', '\x00\x00\x00\x08\x04\xd2\x16\x2f'], ['PROXY', `PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n${GET}`], ['nothing', ''], ['a long method', `${'A'.repeat(50_000)} / HTTP/1.1\r\n\r\n`]
].map(([name = '', bytes = '']) => described(name, bytes))

const several = [
  described('a pipeline', GET.repeat(20), 20),
  described('a long pipeline', HIDDEN.repeat(300), 300),
  described('a pipeline that breaks', `${GET.repeat(5)}\0\0${GET}`, 6),
  described('a pipeline of bodies', `${POST}content-length: 2\r\n\r\n{}`.repeat(30), 30),
  described('a pipeline that is left', HIDDEN.repeat(100), 100, 'leave'),
  described('two halves', [GET.slice(0, 30), GET.slice(30)]),
  described('byte by byte', [...GET].map(String)),
  described('expects a go-ahead', `${POST}expect: 100-continue\r\ncontent-length: 2\r\n\r\n{}`, 2),
  described('expects a go-ahead for a body too large', `${POST}expect: 100-continue\r\ncontent-length: 999999999\r\n\r\n`, 2),
  described('a body too short', `${POST}content-length: 100\r\n\r\n{}`),
  described('a body too long', `${POST}content-length: 2\r\n\r\n{}{}{}{}`, 2),
  described('a body too large, and told so', `${POST}content-length: 999999999\r\n\r\n${'x'.repeat(100_000)}`),
  described('left in the middle of a body', `${POST}content-length: 100\r\n\r\n{}`, 1, 'leave'),
  described('left in the middle of a header', POST, 1, 'leave')
]

/** The broker has to end these, and that takes as long as it gives a sender. */
const slow = [
  described('nothing is ever sent', '', 1, 'hold'),
  described('half a request line', 'GET /kon', 1, 'hold'),
  described('headers that never end', `GET /konnect HTTP/1.1\r\n${HOST}`, 1, 'hold'),
  described('a body that never comes', `${POST}content-length: 100\r\n\r\n`, 1, 'hold'),
  described('a chunked body that never ends', chunked('2\r\n{}\r\n'), 1, 'hold'),
  described('a body that never comes, without a key', `POST /register HTTP/1.1\r\n${HOST}content-type: application/json\r\ncontent-length: 100\r\n\r\n{`, 1, 'hold'),
  described('a request and half of the next', `${HIDDEN}GET /konn`, 2, 'hold')
]

const listener = fc.constantFrom<Listener>('public', 'operations')
const garbage = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 400 }).map(bytes => described('garbage', Buffer.from(bytes), 5)),
  // A good request with some bytes of it changed.
  fc.tuple(fc.constantFrom(GET, HIDDEN, `${POST}content-length: 2\r\n\r\n{}`, chunked('2\r\n{}\r\n0\r\n\r\n')), fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 })).map(([request, changes]) => {
    const bytes = Buffer.from(request, 'latin1')
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte
    return described('a request with other bytes in it', bytes, 5)
  })
)

const raw = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...smuggling) },
  { weight: 4, arbitrary: fc.constantFrom(...chunks) },
  { weight: 6, arbitrary: fc.constantFrom(...lines) },
  { weight: 4, arbitrary: fc.constantFrom(...several) },
  { weight: 10, arbitrary: garbage },
  { weight: 1, arbitrary: fc.constantFrom(...slow) }
)

export const rawCases: fc.Arbitrary<RawCase> = fc.tuple(raw, listener).map(([described, listener]) => ({ kind: 'raw', listener, ...described }))
