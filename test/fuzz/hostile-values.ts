// What callers put where a text, a number or anything else belongs. JSON is kept as a tree that can hold what no JavaScript value can:
// members twice, numbers beyond measure.
import fc from 'fast-check'

export type Node = { kind: 'text', json: string } | { kind: 'list', items: Node[] } | { kind: 'object', members: Array<[name: string, value: Node]> }

export function nodeOf (value: unknown): Node {
  if (Array.isArray(value)) return { kind: 'list', items: value.map(nodeOf) }
  if (typeof value === 'object' && value !== null) return { kind: 'object', members: Object.entries(value).map(([name, member]) => [name, nodeOf(member)]) }
  return { kind: 'text', json: JSON.stringify(value) ?? 'null' }
}

export function textOf (node: Node): string {
  if (node.kind === 'text') return node.json
  if (node.kind === 'list') return `[${node.items.map(textOf).join(',')}]`
  return `{${node.members.map(([name, value]) => `${JSON.stringify(name)}:${textOf(value)}`).join(',')}}`
}

const json = (text: string): Node => ({ kind: 'text', json: text })

export const URIS = [
  'javascript:alert(1)', 'data:text/html,x', 'http://evil.example/', 'https://user:pw@a.example/', 'https://a.example/#f', 'https://*.example/', 'https://a.example\\@b.example/',
  'https:evil', 'https:///evil', '//evil', 'https://[::1]/', 'https://[::ffff:1.2.3.4]/', 'https://xn--/', 'https://\u0430pple.example/', 'https://a.example:99999/', 'https://a.example:0/',
  'https://a.example/%', 'https://a.example/%0d%0aX: y', 'https://a.example/\t', 'https://a..example/', 'https://.../', 'https://a.example/cb', 'https://a.example/cb/', 'HTTPS://A.EXAMPLE/cb',
  'urn:ietf:wg:oauth:2.0:oob', 'app.scheme:/x', 'http://127.0.0.1/cb', 'http://localhost:1/cb', 'http://127.1/', 'http://2130706433/', 'https://%61.example/', 'file:///etc/hosts', 'ms-appx-web://x',
  `https://a.example/${'a'.repeat(300)}`, `https://${'a.'.repeat(200)}example/`
]

export const TEXTS = [
  '', ' ', '\u0000', 'a\u0000b', '\ud800', '\udfff', 'a\ud83d', '\udc00\ud800', '\u202Egpj.exe', '\u200B', '\u2066x\u2069', '\uFEFF', '\u00AD', 'e\u0301', 'a\u0300'.repeat(200), '\u{1F600}'.repeat(130),
  '\u{E0001}', '\uFFFE', '\uFFFF', '\u2028', '\u0085', '\t\r\n', '=cmd()', '@SUM(1)', '\' or 1 eq 1', '\')/foo', '\' or \'1\'=\'1', '\'; DROP TABLE registration; --', '" OR ""="', '$1', '%', '_', '\\', '%s%n',
  '../../x', '..\\..\\x', '%2e%2e%2f', '%00', '%ff', 'a\r\nSet-Cookie: x=1', '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '$where', '$ref',
  'null', 'undefined', 'NaN', 'Infinity', '1e999', '-0', '-1', '1.5', '9007199254740993', '0x10', 'true', 'false', '[]', '{}', '[object Object]', '<script>x</script>', '{{7*7}}',
  '2026-02-30T00:00:00Z', '9999-12-31T23:59:60Z', '0000-00-00T00:00:00Z', '+275760-09-13T00:00:00.001Z', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '01a21715-4680-7a10-8b1e-3f6d2a9c4e5', '{01a21715-4680-7a10-8b1e-3f6d2a9c4e58}', 'default', 'a,b', ',', ',,,', 'a desc', 'desc', '*', '\u0131', '\u212a', 'openid profile', 'none', ...URIS
]

const NUMBERS = [
  '0', '-0', '-1', '1', '1.5', '1e999', '-1e999', '1e-999', '2147483647', '2147483648', '9007199254740993', '-9223372036854775809', '1'.repeat(400), `0.${'0'.repeat(400)}1`, '1E400', '5e-324'
].map(json)

/** Where a whole body is one of these, or a member of it. They are long: a few of them go a long way. */
const huge: fc.Arbitrary<Node> = fc.constantFrom<() => string>(
  ...[17, 100, 1_000, 10_000, 100_000].flatMap(depth => [
    () => `${'['.repeat(depth)}${']'.repeat(depth)}`,
    () => `${'{"a":'.repeat(Math.min(depth, 40_000))}1${'}'.repeat(Math.min(depth, 40_000))}`,
    () => '['.repeat(depth)
  ]),
...[1_000, 20_000, 100_000].flatMap(count => [
  () => `{${Array.from({ length: count }, (_, index) => `"${index.toString(36)}":1`).join(',')}}`,
  () => `{${'"a":1,'.repeat(count)}"a":1}`,
  () => `[${'1,'.repeat(count)}1]`,
  () => `[${'"https://a.example/",'.repeat(Math.min(count, 11_000))}"https://b.example/"]`,
  () => `[${Array.from({ length: Math.min(count, 9_000) }, (_, index) => `"https://a.example/${index}"`).join(',')}]`
]),
...[256, 1_001, 5_000, 70_000, 250_000, 1_000_000].flatMap(length => [
  () => `"${'x'.repeat(length)}"`,
  () => `"${' '.repeat(length)}"`,
  () => `"${'\\u0000'.repeat(Math.ceil(length / 6))}"`,
  () => JSON.stringify(`a${'\u0301\u0323'.repeat(Math.ceil(length / 4))}`),
  () => JSON.stringify('\ufdfa'.repeat(Math.ceil(length / 3))),
  () => JSON.stringify('a '.repeat(Math.ceil(length / 2))),
  () => JSON.stringify(`https://${'a.'.repeat(Math.ceil(length / 2))}example/`),
  () => JSON.stringify(`https://a.example/${'../'.repeat(Math.ceil(length / 3))}`),
  () => `1${'0'.repeat(length)}`
])
).map(make => json(make()))

const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) }
)

export const DANGEROUS_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', '', ' ', '\u0000', '\ud800', '0', '-1', 'length', '$ref', 'id', 'client_name#ja', 'x'.repeat(300)]

const smallValue: fc.Arbitrary<Node> = fc.oneof(
  { weight: 8, arbitrary: text.map(value => json(JSON.stringify(value))) },
  { weight: 3, arbitrary: fc.constantFrom(...NUMBERS) },
  { weight: 3, arbitrary: fc.constantFrom('null', 'true', 'false', '[]', '{}', '[[]]', '[null]', '[{}]', '{"a":{}}').map(json) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }).map(nodeOf) }
)

/** Any value a member may get. */
export const hostileValue: fc.Arbitrary<Node> = fc.oneof(
  { weight: 40, arbitrary: smallValue },
  { weight: 6, arbitrary: fc.array(smallValue, { maxLength: 4 }).map((items): Node => ({ kind: 'list', items })) },
  { weight: 4, arbitrary: fc.array(fc.tuple(fc.constantFrom(...DANGEROUS_NAMES), smallValue), { maxLength: 3 }).map((members): Node => ({ kind: 'object', members })) },
  { weight: 2, arbitrary: huge }
)

export const hostileText = text
