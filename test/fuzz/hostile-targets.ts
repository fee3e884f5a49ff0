// Paths and queries: parameters that are ours, strange or poisonous, the grammar of the lists, and the tricks of paths.
import fc from 'fast-check'
import type { DescribedRoute } from './described-routes.ts'
import { hostileText, TEXTS } from './hostile-values.ts'

/** Stands in a target or header for what only the run knows: `<client>`. */
export const mark = (name: string): string => `<${name}>`

/** What a request that succeeds by its path alone names most of the time, so that little comes of it. */
const STRANGERS = ['00000000-0000-4000-8000-000000000000', '01a21715-4680-7a10-8b1e-3f6d2a9c4e58', 'ffffffff-ffff-4fff-bfff-ffffffffffff']

const PATH_TRICKS = [
  '..', '%2e%2e', '.%2e', '..%2f..', '%2f', '%5c', '..%5c..', '%00', '%0d%0a', '%', '%zz', '%u0041', '%C3%28', '%c0%af', '%ED%A0%80', ';a=b', 'a;b', '\\', '\'', '%27', '%22', '%3c', '$metadata', '*', ':id', '{id}',
  '%27)%2ffoo', '%27%20or%201%20eq%201', '%27%20or%20appId%20ne%20%27', 'applications(appId=%27x%27)', 'null', '__proto__', 'constructor', '%EF%BB%BF', '%E2%80%AE', 'a'.repeat(3_000), '%41'.repeat(1_000)
]

function parameter (real: string, realWeight: number): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: realWeight, arbitrary: fc.constant(real) },
    { weight: 4, arbitrary: fc.constantFrom(...STRANGERS) },
    { weight: 2, arbitrary: fc.constantFrom(...PATH_TRICKS) },
    { weight: 2, arbitrary: hostileText.map(text => encodeURIComponent(text.toWellFormed()) || '%20') },
    { weight: 1, arbitrary: fc.constantFrom(`${real}%00`, `${real}%20`, `%20${real}`, `${real}'`, `${real}..`, `${real};x`, `${real}%2f..`) }
  )
}

export function paths (route: DescribedRoute): fc.Arbitrary<string> {
  const { template, contentType, method } = route
  // With a body it is the body that decides.
  const realWeight = method === 'GET' ? 14 : contentType === null ? 0.3 : 14
  const parts = template.split(/(\{\w+\})/).map(part => part.startsWith('{') ? parameter(realOf(template, part.slice(1, -1)), Math.max(1, Math.round(realWeight))) : fc.constant(part))
  const path = fc.tuple(...parts).map(parts => parts.join(''))
  return fc.oneof({ weight: 24, arbitrary: path }, { weight: 1, arbitrary: fc.tuple(path, tricks).map(([path, trick]) => trick(path)) })
}

/** The mark's name where another provider than the default one is in the path. */
export function placed (template: string, name: string): string {
  return template.startsWith('/t/') ? `${name} of contoso` : name
}

function realOf (template: string, name: string): string {
  if (name === 'provider') return 'contoso'
  if (name === 'clientId') return mark(template.startsWith('/konnect') ? 'konnect client' : template.startsWith('/v2/') ? 'adopted' : placed(template, 'client'))
  if (name === 'id') return mark(placed(template, template.replace(/^\/t\/\{provider\}/, '').split('/')[2] ?? 'id'))
  return mark(name)
}

const tricks: fc.Arbitrary<(path: string) => string> = fc.constantFrom<(path: string) => string>(
  path => `/${path}`, path => `${path}/`, path => `${path}//`, path => `/.${path}`, path => `/x/..${path}`, path => path.replaceAll('/', '%2f'), path => path.toUpperCase(), path => `${path};x=y`,
path => path.replace('/', '\\'), path => `${path}%20`, path => `${path}%00`, path => `http://evil.example${path}`, path => `https://127.0.0.1:1${path}`, path => `${path}#x`, path => path.slice(1), () => '*', () => '/',
path => `${path}?`, path => `${path}/../..`, path => path.replace(/[a-z]/, letter => `%${letter.charCodeAt(0).toString(16)}`), path => `/docs/..%2f..${path}`, path => `/docs/static/%2e%2e${path}`, path => `${path}?${'a'.repeat(9_000)}`
)

export function queries (route: DescribedRoute): fc.Arbitrary<string> {
  const { query, method, template } = route
  const dryRun = method === 'POST' && template.endsWith('/register') ? fc.constantFrom('dry_run=true', 'dry_run=true', '') : fc.constant('')
  const names = query.length === 0
    ? fc.constantFrom('x', 'purge', 'force', 'sort')
    : fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...query) }, { weight: 1, arbitrary: fc.constantFrom(...ODD_NAMES) })
  const pair = fc.tuple(names, value).map(([name, value]) => `${name.replace('<key>', 'team').replaceAll(/[[\]]/g, encodeURIComponent)}=${value}`)
  const free = fc.oneof(fc.array(pair, { minLength: 1, maxLength: 3 }).map(pairs => pairs.join('&')), fc.constantFrom(...ODD_QUERIES))
  return fc.tuple(dryRun, fc.oneof({ weight: query.length > 3 ? 1 : 12, arbitrary: fc.constant('') }, { weight: query.length > 3 ? 12 : 1, arbitrary: free }))
    .map(parts => parts.filter(part => part !== '').join('&')).map(text => text === '' ? '' : `?${text}`)
}

const cursor = (value: unknown): string => Buffer.from(JSON.stringify(value) ?? '').toString('base64url')

const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('1', '10', '100', 'created_at desc', 'created_at', 'active', 'Orders', 'default', '2026-11-26T10:00:00Z', 'true', ...STRANGERS) },
  { weight: 4, arbitrary: fc.constantFrom(...TEXTS).map(text => encodeURIComponent(text.toWellFormed())) },
  { weight: 1, arbitrary: hostileText.map(text => encodeURIComponent(text.toWellFormed())) },
  { weight: 1, arbitrary: fc.constantFrom('%', '%zz', '%00', '%C3%28', '%ED%A0%80', '%F4%90%80%80', '+', '%2B', '%u0000', 'a%0d%0ab', `${'a,'.repeat(500)}`, 'x'.repeat(5_000), '%25'.repeat(500), '0', '-1', '1e3', '1.0', '99999999999999999999') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      cursor(['created_at', null, null]), cursor(['created_at desc', '2026-11-26T10:00:00Z', STRANGERS[0]]), cursor(['created_at desc', 'x\u0000', STRANGERS[0]]), cursor(['created_at desc', '2026-11-26T10:00:00Z', '\' or 1=1 --']),
      cursor(['name', '\ud800', STRANGERS[0]]), cursor(['client_name', 'x', STRANGERS[0]]), cursor({}), cursor([]), cursor(null), cursor([[]]), cursor('x'.repeat(5_000)), `${cursor(['created_at'])}=`, '_-_-', cursor(['__proto__', {}, {}])
    )
  }
)

const ODD_NAMES = [
  'filter', 'filter[]', 'filter[x]', 'filter[name][', 'filter[name]]', 'filter[[name]]', 'filter[__proto__]', 'filter[constructor][eq]', 'filter[labels.]', 'filter[labels.__proto__]', 'filter[labels.team][eq]', 'filter[labels.team][neq]',
  'filter[labels.a.b]', `filter[labels.${'x'.repeat(300)}]`, 'filter[created_at]', 'filter[id][like]', 'page', 'page[]', 'page[size][]', 'page[size]x', '__proto__', '__proto__[x]', 'constructor.prototype', 'sort[]', '', ' ', '%00', '%ff', '[', ']'
]

const ODD_QUERIES = [
  '&', '=', '&&&', '==', '?', 'a', 'a=b=c', 'page[size]=1&page[size]=2', 'sort=name&sort=id', 'page[number]=1&page[after]=x', 'filter[id]=1&filter[id][eq]=2', 'filter[id]&filter[id]', Array.from({ length: 1_200 }, (_, index) => `a${index}=`).join('&'),
  'page%5Bsize%5D=1&page[size]=2', 'filter[name][eq]=a&filter[name][eq]=b', '\xff\xfe', 'a=\xe2\x80\xae', `x=${'%'.repeat(3_000)}`, 'page[size]=10&page[number]=1001', 'page[size]=100&page[number]=101', '__proto__[polluted]=1', 'constructor[prototype][polluted]=1'
]
