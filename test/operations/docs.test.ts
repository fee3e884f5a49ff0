// The documents and the page that shows them.
import { createRequire } from 'node:module'
import t from 'tap'
import { createServer } from './operations-server.ts'

const isUiLoaded = () => Object.keys(createRequire(import.meta.url).cache).some(path => path.includes('swagger-ui'))

t.test('Swagger UI is loaded when somebody asks for it, not before', async t => {
  const server = await createServer(t)
  t.equal((await server.inject('/openapi/operations.json')).statusCode, 200)
  t.notOk(isUiLoaded())
  t.equal((await server.inject('/docs')).statusCode, 200)
  t.ok(isUiLoaded())
})

t.test('what Swagger UI does not have is 404, and what a browser has is not sent again', async t => {
  const server = await createServer(t)
  for (const path of ['/docs/nothing', '/docs/static/nothing', '/docs/static/..%2findex.js', '/docs/static/%2e%2e/index.js']) {
    const { statusCode, headers } = await server.inject(path)
    t.match({ statusCode, type: headers['content-type'] }, { statusCode: 404, type: /^application\/problem\+json/ }, path)
  }
  const path = '/docs/static/index.css'
  const { headers: { etag }, body } = await server.inject(path)
  t.match(await server.inject({ path, headers: { 'if-none-match': String(etag) } }), { statusCode: 304, body: '' })
  t.match(await server.inject({ path, headers: { range: 'bytes=0-3' } }), { statusCode: 206, body: body.slice(0, 4) })
  t.match(await server.inject({ path, headers: { range: 'bytes=99999-' } }), { statusCode: 416, headers: { 'content-type': /^application\/problem\+json/ } })
  t.match(await server.inject({ method: 'HEAD', path }), { statusCode: 200, body: '', headers: { 'content-length': String(body.length) } })
  t.match(await server.inject('/docs/static/index.html'), { statusCode: 302, headers: { location: '/docs/', 'content-type': undefined } })
})

t.test('every document is served without a key', async t => {
  const server = await createServer(t)
  const operations = await server.inject('/openapi/operations.json')
  t.match(operations.json(), { openapi: '3.1.0', info: { version: '1.2.3' }, paths: { '/v2/registrations': { get: { operationId: 'listRegistrations' } } } })
  for (const name of ['public', 'gateway']) t.match((await server.inject(`/openapi/${name}.json`)).json(), { info: { title: name } })
})

t.test('the docs page offers every document and loads nothing from elsewhere', async t => {
  const server = await createServer(t)
  const page = await server.inject('/docs/')
  t.equal(page.statusCode, 200)
  const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => String(path))
  t.ok(assets.length >= 5)
  for (const path of assets) {
    t.match(path, /^\.\/static\//)
    t.equal((await server.inject(`/docs/${path.slice(2)}`)).statusCode, 200, path)
  }
  const { body: initializer } = await server.inject('/docs/static/swagger-initializer.js')
  t.match(initializer, '/openapi/operations.json')
  for (const name of ['public', 'gateway']) t.match(initializer, `/openapi/${name}.json`)
  t.notMatch(page.body, /<script>|on\w+="/, 'nothing inline that the policy would refuse')
})

t.test('the docs page has a policy that lets it run from here alone; answers elsewhere may do nothing', async t => {
  const server = await createServer(t)
  const docs = String((await server.inject('/docs/')).headers['content-security-policy'])
  t.match(docs, /default-src 'none';.*script-src 'self';.*connect-src 'self';/)
  t.notMatch(docs, /https:|script-src[^;]*unsafe/)
  const { headers } = await server.inject('/healthz')
  t.equal(headers['content-security-policy'], "default-src 'none';frame-ancestors 'none'")
  t.match(headers, { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
  t.type(headers['x-request-id'], 'string')
})
