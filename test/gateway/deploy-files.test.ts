// The files for gateways that no test runs: they can be read, say that they are not run, and name what the broker tells of a client.
import { readdir, readFile } from 'node:fs/promises'
import t from 'tap'
import { parse } from 'yaml'
import { CLIENT_HEADERS } from '../support/gateway.ts'

const FOLDER = 'deploy/gateways'
const page = await readFile('docs/gateways.md', 'utf8')

t.test('each gateway but nginx has one YAML file that says it is not run, and the page says so too', async t => {
  const gateways = (await readdir(FOLDER)).filter(name => name !== 'nginx')
  t.strictSame(gateways.sort(), ['envoy', 'kong', 'traefik'])
  for (const gateway of gateways) {
    const [file = '', ...others] = await readdir(`${FOLDER}/${gateway}`)
    t.strictSame(others, [])
    const text = await readFile(`${FOLDER}/${gateway}/${file}`, 'utf8')
    t.match(text, /^# NOT RUN in the tests/)
    t.type(parse(text), 'object')
    t.ok(page.includes(`../${FOLDER}/${gateway}/${file}`), `the page links ${file}`)
  }
})

t.test('Envoy and Traefik take every header that names a client from the broker', async t => {
  const envoy = parse(await readFile(`${FOLDER}/envoy/envoy.yaml`, 'utf8'))
  const filters = envoy.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters as Array<{ name: string, typed_config: any }>
  t.strictSame(filters.map(({ name }) => name.split('.').at(-1)), ['header_mutation', 'ext_authz', 'router'], 'what a client says is dropped before the check')
  const [mutation, check] = filters.map(filter => filter.typed_config)
  t.strictSame(check.http_service.authorization_response.allowed_upstream_headers.patterns.map(({ exact }: { exact: string }) => exact), CLIENT_HEADERS)
  const removed: string[] = mutation.mutations.request_mutations.map(({ remove }: { remove: string }) => remove)
  t.strictSame(CLIENT_HEADERS.filter(name => !removed.includes(name)), [])

  const traefik = parse(await readFile(`${FOLDER}/traefik/dynamic.yaml`, 'utf8'))
  const { forwardAuth } = traefik.http.middlewares['dcr-broker-verify']
  t.strictSame(forwardAuth.authResponseHeaders.map((name: string) => name.toLowerCase()), CLIENT_HEADERS)
  t.equal(forwardAuth.trustForwardHeader, false)
  t.strictSame(forwardAuth.authRequestHeaders, ['Authorization', 'X-Gateway-Key', 'X-Product-Id'])
})

t.test('the page names every header that names a client', async t => {
  for (const name of CLIENT_HEADERS) t.ok(page.toLowerCase().includes(`\`${name}\``), name)
})
