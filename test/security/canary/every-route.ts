// What is asked of every route of every listener: with keys that are wrong, in places where no key belongs, in bodies that are refused. The routes
// are those that the listeners declare: a new one is asked like all others.
import type { DeclaredRoute } from '../../../src/http/plugins/route-methods.ts'
import { guardOf } from '../route-matrix.ts'
import { membersOfBody } from './documents.ts'
import { FORM, type Call, type WatchedBroker } from './watched-broker.ts'

/** Somebody's id, but nobody's here. */
const NOBODY = '01a20951-0000-4000-8000-000000000009'

const takesBody = (method: string) => ['POST', 'PUT', 'PATCH'].includes(method)

/** Resolves to the statuses by route. Throws for a 500, and for a success without a key where one is needed. */
export async function askEveryRoute (broker: WatchedBroker, holder: string): Promise<Map<string, number[]>> {
  const { publicServer, operationsServer, gatewayServer } = broker.broker
  const statuses = new Map<string, number[]>()
  for (const [server, listener] of [[publicServer, 'public'], [operationsServer, 'operations'], [gatewayServer, 'gateway']] as const) {
    const routes = (server?.declaredRoutes() ?? []).filter(({ method, url }) => !['OPTIONS', 'HEAD'].includes(method) && !url.startsWith('/docs'))
    for (const route of routes) {
      const name = `${route.method} ${route.url} (${listener})`
      for (const call of callsOf(broker, route, holder)) {
        const { status } = await broker.send({ ...call, listener })
        // A gateway without a valid key is told so by 500: 401 would be its client's.
        if (status === 500 && !(guardOf(route) === 'client' && call.headers?.['x-gateway-key'] !== broker.keys.gateway)) throw new Error(`${name} answered 500`)
        statuses.set(name, [...statuses.get(name) ?? [], status])
      }
    }
  }
  return statuses
}

function callsOf (broker: WatchedBroker, route: DeclaredRoute, holder: string): Call[] {
  const { canaries: { secrets } } = broker
  const { method, url: template } = route
  const misplaced = (name: string) => secrets.get(name) ?? ''
  const params = Object.fromEntries([...template.matchAll(/:(\w+)/g)].map(([, name = '']) => [name, name === 'provider' ? 'default' : NOBODY]))
  const right = keyFor(broker, route, holder)
  const base: Call = { method, template, params }
  const wrong = {
    'x-api-key': misplaced('wrong key'),
    'x-gateway-key': misplaced('wrong key'),
    authorization: `Bearer ${misplaced('wrong key')}`,
    cookie: `session=${misplaced('cookie')}`,
    'proxy-authorization': `Basic ${misplaced('proxy password')}`,
    'idempotency-key': misplaced('idempotency key')
  }
  const calls: Call[] = [
    // Nobody's key, and keys where none belong.
    { ...base, headers: wrong, query: `?api_key=${misplaced('query')}&token=${misplaced('query')}` },
    { ...base, headers: { authorization: `Basic ${Buffer.from(`user:${misplaced('wrong key')}`).toString('base64')}` } },
    { ...base, headers: { ...right, cookie: wrong.cookie, 'x-forwarded-for': misplaced('header') } }
  ]
  if (template.includes(':')) {
    const inPath = Object.fromEntries(Object.keys(params).map(name => [name, misplaced('path')]))
    calls.push({ ...base, params: inPath, headers: right }, { ...base, params: inPath, headers: wrong })
  }
  return takesBody(method) ? [...calls, ...bodiesOf(base, right, misplaced)] : calls
}

/** Bodies that are refused, each with a secret that a parser or a validator could quote. */
function bodiesOf (base: Call, headers: Record<string, string>, misplaced: (name: string) => string): Call[] {
  const inBody = misplaced('refused body')
  const members = Object.keys(membersOfBody(base.method, base.template))
  return [
    ...[`{"client_secret":"${inBody}`, `"${inBody}"`, `[${inBody}]`, `{"__proto__":{"token":"${inBody}"}}`, `{"a":"${inBody}\\u0000"}`].map(body => ({ ...base, headers, body })),
    { ...base, headers, body: `client_secret=${inBody}`, type: FORM },
    { ...base, headers, body: { unknown_member: inBody, password: inBody } },
    { ...base, headers: { ...headers, 'idempotency-key': `${inBody} ${'x'.repeat(255)}` }, body: {} },
    ...members.map(member => ({ ...base, headers, body: { [member]: { deep: [inBody] } } })),
    ...members.map(member => ({ ...base, headers, body: { [member]: `${inBody} `.repeat(60) } }))
  ]
}

function keyFor ({ keys }: WatchedBroker, route: DeclaredRoute, holder: string): Record<string, string> {
  switch (guardOf(route)) {
    case 'konnect': return { 'x-api-key': keys.konnect }
    case 'registrant': return { authorization: `Bearer ${keys.registrant}` }
    case 'holder': return { authorization: `Bearer ${holder}` }
    case 'gateway': return { authorization: `Bearer ${keys.gateway}` }
    // What a client shows is tried in the story; here it has a key of its gateway.
    case 'client': return { 'x-gateway-key': keys.gateway }
    case 'operator': return { authorization: `Bearer ${keys.operator}` }
    default: return {}
  }
}
