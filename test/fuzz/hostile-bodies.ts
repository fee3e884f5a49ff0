// Bodies: what the document gives as an example, with mistakes of every size in it, as bytes.
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import type { DescribedRoute } from './described-routes.ts'
import { DANGEROUS_NAMES, hostileValue, nodeOf, textOf, type Node } from './hostile-values.ts'

export interface Body {
  bytes: Buffer
  contentEncoding: string | null
}

type Edit = (body: Node) => Node
type Spoil = (bytes: Buffer) => Body

export function bodies (route: DescribedRoute): fc.Arbitrary<Body> {
  const document = fc.tuple(fc.constantFrom(...route.examples), fc.array(edits(route), { minLength: 1, maxLength: 3 }), refusable(route))
    .map(([example, edits, last]) => textOf(last([...edits].reduce((body, edit) => edit(body), nodeOf(example)))))
  const text = fc.oneof({ weight: 12, arbitrary: document }, { weight: 1, arbitrary: hostileValue.map(textOf) })
  const bytes = (route.contentType === 'application/x-ndjson' ? lines(text) : text).map(text => Buffer.from(text))
  const spoil = fc.oneof({ weight: 9, arbitrary: fc.constant<Spoil>(asTheyAre) }, { weight: 1, arbitrary: spoils })
  return fc.tuple(bytes, spoil).map(([bytes, spoil]) => spoil(bytes))
}

const asTheyAre: Spoil = bytes => ({ bytes, contentEncoding: null })

// Lines of an import make clients: most of them are spoiled.
const lines = (line: fc.Arbitrary<string>) => fc.array(fc.tuple(line, fc.integer({ min: 0, max: 6 })), { maxLength: 3 })
  .map(lines => lines.map(([line, choice]) => choice < 2 ? line : line.replace(/"https?:[^"]*"/g, '"javascript:x"')).join('\n'))

/** Nearly every create gets something that can't be accepted, so that few things are made. */
function refusable ({ template, method }: DescribedRoute): fc.Arbitrary<Edit> {
  const isCreate = method === 'POST' && /^\/konnect$|\/register$/.test(template)
  if (!isCreate) return fc.constant(body => body)
  return fc.integer({ min: 0, max: 11 }).map(choice => body => choice === 0 ? body : withMember(body, 'redirect_uris', nodeOf(['javascript:x'])))
}

function edits ({ members }: DescribedRoute): fc.Arbitrary<Edit> {
  const at = fc.nat({ max: 1_000 })
  const name = fc.oneof(fc.constantFrom(...members, 'x'), fc.constantFrom(...DANGEROUS_NAMES))
  return fc.oneof(
    { weight: 6, arbitrary: fc.tuple(at, hostileValue).map(([at, value]): Edit => body => replaced(body, at, () => value)) },
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...members, 'x'), hostileValue).map(([name, value]): Edit => body => withMember(body, name, value)) },
    { weight: 2, arbitrary: at.map((at): Edit => body => body.kind === 'object' ? { ...body, members: body.members.filter((_, index) => index !== at % body.members.length) } : body) },
    { weight: 2, arbitrary: fc.tuple(name, hostileValue).map(([name, value]): Edit => body => body.kind === 'object' ? { ...body, members: [...body.members, [name, value]] } : body) },
    { weight: 1, arbitrary: at.map((at): Edit => body => replaced(body, at, node => ({ kind: 'list', items: [node, node] }))) },
    { weight: 1, arbitrary: fc.tuple(at, name).map(([at, name]): Edit => body => replaced(body, at, node => ({ kind: 'object', members: [[name, node], [name, node]] }))) },
    { weight: 1, arbitrary: at.map((at): Edit => body => replaced(body, at, node => node.kind === 'text' ? { kind: 'text', json: JSON.stringify(node.json) } : { kind: 'text', json: 'null' })) }
  )
}

function withMember (body: Node, name: string, value: Node): Node {
  if (body.kind !== 'object') return body
  return { ...body, members: [...body.members.filter(([other]) => other !== name), [name, value]] }
}

/** The node with this number, counted from the root; the numbers go round. */
function replaced (body: Node, at: number, by: (node: Node) => Node): Node {
  let rest = at % countOf(body)
  function visit (node: Node): Node {
    if (rest-- === 0) return by(node)
    if (node.kind === 'list') return { ...node, items: node.items.map(visit) }
    if (node.kind === 'object') return { ...node, members: node.members.map(([name, value]) => [name, visit(value)]) }
    return node
  }
  return visit(body)
}

function countOf (node: Node): number {
  if (node.kind === 'text') return 1
  return 1 + (node.kind === 'list' ? node.items : node.members.map(([, value]) => value)).reduce((sum, each) => sum + countOf(each), 0)
}

// Overlong forms, halves of pairs, beyond Unicode, cut short, NUL, a control character, a quotation mark.
const BYTES = ['c0af', 'e08080', 'eda080', 'edbfbf', 'f4908080', 'f8888080', 'ff', '80', 'e2', 'f09f', '00', '01', '7f', '22', '5c', '0d0a', 'efbbbf', '7b', '5d'].map(hex => Buffer.from(hex, 'hex'))
const NO_JSON = ['NaN', '-Infinity', '0x10', '01', '.5', '+1', '\'a\'', 'undefined', '{a:1}', '[1,]', '{"a":1,}', '/**/{}', '"\t"', '"\\x41"', '"\\u12"', '\ufeff{}', '']
const BOMBS = [10, 100].map(megabytes => gzipSync(Buffer.alloc(megabytes * 1024 * 1024, ' ')))

const spoils: fc.Arbitrary<Spoil> = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 5_000 }).map((at): Spoil => bytes => asTheyAre(bytes.subarray(0, at % (bytes.length + 1)))) },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat({ max: 5_000 }), fc.constantFrom(...BYTES))
      .map(([at, inserted]): Spoil => bytes => asTheyAre(withInserted(bytes, at % (bytes.length + 1), inserted)))
  },
  { weight: 2, arbitrary: fc.constantFrom('x', ' ', '\n\n', '{}', ',', '\0', ' //', '\ufeff', ';', ']', '}').map((tail): Spoil => bytes => asTheyAre(Buffer.concat([bytes, Buffer.from(tail)]))) },
  { weight: 1, arbitrary: fc.constantFrom(...NO_JSON).map((text): Spoil => () => asTheyAre(Buffer.from(text))) },
  { weight: 1, arbitrary: fc.constant<Spoil>(bytes => asTheyAre(Buffer.from(bytes.toString('utf8'), 'utf16le'))) },
  { weight: 1, arbitrary: fc.constantFrom('gzip', 'deflate', 'br', 'identity', 'GZIP', 'gzip, gzip', 'x').map((contentEncoding): Spoil => bytes => ({ bytes: gzipSync(bytes), contentEncoding })) },
  { weight: 1, arbitrary: fc.constantFrom(...BOMBS).map((bytes): Spoil => () => ({ bytes, contentEncoding: 'gzip' })) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes): Spoil => () => asTheyAre(Buffer.from(bytes))) }
)

function withInserted (bytes: Buffer, at: number, inserted: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)])
}
