// One case: what is sent to a listener, decided by the seed and the number of the case alone, so that it can be made again.
import fc from 'fast-check'
import { describedRoutes, type DescribedRoute, type Listener } from './described-routes.ts'
import { bodies } from './hostile-bodies.ts'
import { CONTENT_TYPES, credentials, oddHeaders, type Header } from './hostile-headers.ts'
import { paths, queries } from './hostile-targets.ts'
import { rawCases, type RawCase } from './raw-cases.ts'

export interface HttpCase {
  kind: 'http'
  route: DescribedRoute
  listener: Listener
  method: string
  /** With marks for what only the run knows. */
  target: string
  headers: Header[]
  body: Buffer | null
}

export type FuzzCase = HttpCase | RawCase

const ODD_METHODS = ['HEAD', 'OPTIONS', 'PATCH', 'PUT', 'TRACE', 'PROPFIND', 'QUERY', 'GET', 'DELETE', 'POST', 'SEARCH', 'LOCK', 'M-SEARCH', 'get', 'FOO', 'PRI', '__proto__']

const routes = describedRoutes()
const perRoute = new Map(routes.map(route => [route, casesOf(route)]))
// Routes without a guard validate nothing; those that take a body have most to judge.
const weightOf = ({ credential, contentType, query }: DescribedRoute): number => credential === 'none' ? 1 : contentType !== null ? 10 : query.length > 3 ? 8 : 4
const anyHttpCase = fc.oneof(...[...perRoute].map(([route, arbitrary]) => ({ weight: weightOf(route), arbitrary })))
const anyCase: fc.Arbitrary<FuzzCase> = fc.oneof({ weight: 24, arbitrary: anyHttpCase }, { weight: 1, arbitrary: rawCases })

export function caseOf (seed: number, number: number): FuzzCase {
  const [made] = fc.sample(anyCase, { seed: mixed(seed, number), numRuns: 1 })
  if (made === undefined) throw new Error('Nothing was generated')
  return made
}

/** Neighbouring seeds of the generator make similar numbers. */
function mixed (seed: number, number: number): number {
  let state = Math.imul(seed ^ (number + 0x9e3779b9), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return (state ^ (state >>> 16)) | 0
}

function casesOf (route: DescribedRoute): fc.Arbitrary<HttpCase> {
  const { method, contentType, listener } = route
  const contentTypes = fc.oneof({ weight: 24, arbitrary: fc.constant(contentType ?? 'application/json') }, { weight: 1, arbitrary: fc.constantFrom(...CONTENT_TYPES) })
  const body = contentType === null
    ? fc.oneof({ weight: 12, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: bodies(route) })
    : fc.oneof({ weight: 40, arbitrary: bodies(route) }, { weight: 1, arbitrary: fc.constant(null) })
  const methods = fc.oneof({ weight: 40, arbitrary: fc.constant(method) }, { weight: 1, arbitrary: fc.constantFrom(...ODD_METHODS) })
  return fc.record({ methods, path: paths(route), query: queries(route), credential: credentials(route), contentTypes, body, odd: oddHeaders })
    .map(({ methods, path, query, credential, contentTypes, body, odd }): HttpCase => {
      const ofBody: Header[] = body === null ? [] : [['content-type', contentTypes], ...body.contentEncoding === null ? [] : [['content-encoding', body.contentEncoding] as Header]]
      return { kind: 'http', route, listener, method: methods, target: path + query, headers: [...credential, ...ofBody, ...odd], body: body?.bytes ?? null }
    })
}

/** As it goes over the wire. @param known what the marks stand for */
export function bytesOf ({ method, target, headers, body }: HttpCase, known: ReadonlyMap<string, string>): Buffer {
  const fill = (text: string) => text.replaceAll(/<([a-z -]+)>/gi, (whole, name: string) => known.get(name) ?? whole)
  // A space would end the target; what is left is for the broker to judge.
  const line = `${method} ${fill(target).replaceAll(/[\s\u0100-\uffff]/g, '_') || '/'} HTTP/1.1`
  const lines = [line, 'host: broker.example', ...headers.map(([name, value]) => `${name}: ${fill(value)}`), ...body === null ? [] : [`content-length: ${body.length}`]]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body ?? Buffer.alloc(0)])
}
