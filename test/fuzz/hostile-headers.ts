// Headers beside those a request needs, and credentials that are none. A value may hold any byte that HTTP lets through.
import fc from 'fast-check'
import type { Credential, DescribedRoute } from './described-routes.ts'
import { mark, placed } from './hostile-targets.ts'

export type Header = [name: string, value: string]

const TOKENS: Record<Exclude<Credential, 'none' | 'konnect'>, string> = {
  initial: 'initial token', service: 'service token', management: 'management token', operator: 'operator key'
}

function rightCredential ({ credential, template }: DescribedRoute): Header[] {
  if (credential === 'none') return []
  if (credential === 'konnect') return [['x-api-key', mark('konnect key')]]
  return [['authorization', `Bearer ${mark(placed(template, TOKENS[credential]))}`]]
}

/** Latin-1. */
const anyValue = fc.array(fc.integer({ min: 0x20, max: 0xff }).filter(unit => unit !== 0x7f), { maxLength: 60 }).map(units => String.fromCharCode(...units))

export function credentials (route: DescribedRoute): fc.Arbitrary<Header[]> {
  const right = rightCredential(route)
  const wrong = fc.oneof(
    fc.constantFrom<Header[]>(
      [], [['authorization', '']], [['authorization', 'Bearer']], [['authorization', 'Bearer  ']], [['authorization', 'Basic dXNlcjpwYXNz']], [['x-api-key', '']], [['x-api-key', 'a'.repeat(9_000)]],
      [['authorization', `Bearer ${'a'.repeat(9_000)}`]], [['authorization', 'Bearer eyJhbGciOiJub25lIn0.e30.']], [['authorization', `Bearer ${'e30.'.repeat(1_000)}`]],
      [['authorization', `Bearer dcr_iat_${'A'.repeat(43)}`]], [['authorization', `Bearer dcr_op_${'A'.repeat(43)}`]], [...right, ...right], [...right, ['x-api-key', 'x'], ['authorization', 'x']],
      right.map(([name, value]): Header => [name, `${value}x`]), right.map(([name, value]): Header => [name, value.replace('Bearer ', 'bearer    ')]), right.map(([name, value]): Header => [name, `${value},${value}`])
    ),
    anyValue.map((value): Header[] => [['authorization', `Bearer ${value}`], ['x-api-key', value]])
  )
  return fc.oneof({ weight: 19, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: wrong })
}

export const CONTENT_TYPES = [
  'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json; charset=utf-16', 'application/json; charset=iso-8859-1', 'application/json;charset="utf-8"', 'application/json; charset=utf-7',
  'application/json; charset=utf-8; charset=utf-16', 'APPLICATION/JSON', 'application/json;', 'application/json ; x', 'application/problem+json', 'application/merge-patch+json', 'application/x-ndjson', 'json', '', '/', 'application/', ';', 'application/json, text/plain',
  'application/jsonx', 'text/json', 'application/json\xa0', `application/json; x=${'y'.repeat(3_000)}`, `application/${'a.'.repeat(2_000)}+json`, '*/*', 'application/json; charset=', 'application/json; charset=\xff'
]

const odd: fc.Arbitrary<Header> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom<Header>(
      ['accept', 'application/xml'], ['accept', 'text/html;q=0.1,*/*;q=zzz'], ['accept', ','.repeat(500)], ['accept-encoding', 'gzip;q=1e9, *'], ['accept-language', '\xff'], ['range', 'bytes=0-'], ['range', 'bytes=5-1,9-2,-'], ['range', `bytes=${'0-,'.repeat(1_000)}`],
      ['if-match', '*'], ['if-match', '"1"'], ['if-match', 'W/"x"'], ['if-match', '"'.repeat(200)], ['if-none-match', '*'], ['if-modified-since', 'x'], ['expect', '100-continue'], ['expect', 'x'], ['te', 'trailers'], ['upgrade', 'h2c'], ['connection', 'Upgrade, HTTP2-Settings'],
      ['connection', 'close'], ['connection', 'x-api-key'], ['x-forwarded-for', '127.0.0.1'], ['x-forwarded-host', 'evil.example'], ['x-forwarded-proto', 'javascript'], ['forwarded', 'for=_;host=evil'], ['x-http-method-override', 'DELETE'], ['x-original-url', '/v2/callers'],
      ['origin', 'null'], ['origin', 'https://evil.example'], ['origin', '\xff'], ['access-control-request-method', 'X'], ['access-control-request-headers', 'a,'.repeat(500)], ['cookie', `a=${'b'.repeat(3_000)}`], ['referer', 'javascript:x'], ['user-agent', ''], ['user-agent', '\xff\xfe'],
      ['traceparent', '00-00000000000000000000000000000000-0000000000000000-00'], ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'], ['traceparent', 'x'.repeat(500)], ['tracestate', '=,='.repeat(100)], ['baggage', 'a=b,'.repeat(500)],
      ['x-request-id', '\' or 1=1 --'], ['request-id', '\xff'], ['__proto__', 'x'], ['constructor', 'x'], ['x-long', 'y'.repeat(7_000)], ['x-longer', 'y'.repeat(20_000)], ['accept-version', '1.x'], ['accept-version', '__proto__'], ['via', '1.1 x'], ['max-forwards', '0']
    )
  },
  {
    weight: 2,
    arbitrary: fc.oneof(
      fc.constantFrom('', ' ', 'k', 'k'.repeat(255), 'k'.repeat(256), '\xff', '"k"', '\' or 1=1', 'a\tb', 'once', 'once, once'), fc.uuid(), anyValue).map((value): Header => ['idempotency-key', value])
  },
  { weight: 1, arbitrary: anyValue.map((value): Header => ['x-odd', value]) }
)

export const oddHeaders: fc.Arbitrary<Header[]> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Header[]>([]) },
  { weight: 2, arbitrary: fc.array(odd, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.tuple(odd, fc.constantFrom(2, 20, 150, 500, 3_000)).map(([header, count]) => repeated(header, count)) }
)

function repeated (header: Header, count: number): Header[] {
  return Array.from({ length: header[1].length > 50 ? 2 : count }, () => header)
}
