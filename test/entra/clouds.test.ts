// Where a tenant's login and Graph are, and that a secret never travels in clear over a network.
import t from 'tap'
import { cloudOf } from '../../src/entra/clouds.ts'
import { createEntraDirectories } from '../../src/entra/entra-directories.ts'
import { faultOf } from './scripted-entra.ts'

const tenant = 'contoso.onmicrosoft.com'

t.test('each login host leads to the Graph of its own cloud, with the scope of that Graph', async t => {
  for (const [login, graph] of [
    ['login.microsoftonline.com', 'graph.microsoft.com'],
    ['login.microsoftonline.us', 'graph.microsoft.us'],
    ['login.partner.microsoftonline.cn', 'microsoftgraph.chinacloudapi.cn']
  ]) {
    t.strictSame(cloudOf(`https://${login}/`, tenant), {
      graphBaseUrl: `https://${graph}`, graphVersion: 'v1.0', scope: `https://${graph}/.default`, tokenEndpoint: `https://${login}/${tenant}/oauth2/v2.0/token`
    })
  }
})

t.test('a Graph address that is given wins, with or without a version, and decides the scope when it is one of Microsoft\'s', async t => {
  t.match(cloudOf('https://login.microsoftonline.us', tenant, 'https://dod-graph.microsoft.us'), { graphVersion: 'v1.0', scope: 'https://dod-graph.microsoft.us/.default' })
  t.match(cloudOf('https://login.microsoftonline.us', tenant, 'https://proxy.example/graph/beta/'), {
    graphBaseUrl: 'https://proxy.example/graph', graphVersion: 'beta', scope: 'https://graph.microsoft.us/.default'
  })
})

t.test('plain http is accepted for loopback and for nothing else', async t => {
  for (const host of ['127.0.0.1:3002', 'localhost:3002', '[::1]:3002', '127.1.2.3']) {
    t.match(cloudOf(`http://${host}`, tenant, `http://${host}/v1.0`), { graphBaseUrl: `http://${host}` })
  }
  for (const host of ['login.microsoftonline.com', '10.0.0.1', '127.0.0.1.example', 'localhost.example', '0.0.0.0']) {
    t.throws(() => cloudOf(`http://${host}`, tenant, 'https://graph.microsoft.com'), /is not https/, `login at ${host}`)
    t.throws(() => cloudOf('https://login.microsoftonline.com', tenant, `http://${host}`), /is not https/, `Graph at ${host}`)
  }
})

t.test('addresses that can\'t be meant are refused: credentials in a URL, an unknown cloud, a tenant that is a path', async t => {
  t.throws(() => cloudOf('https://user:pass@login.microsoftonline.com', tenant), /user name or password/)
  t.throws(() => cloudOf('https://login.example', tenant), /GRAPH_BASE_URL/)
  t.throws(() => cloudOf('https://login.microsoftonline.com', '../common'), /tenant/)
  t.throws(() => cloudOf('nonsense', tenant))
})

t.test('a provider that is unknown or misconfigured answers `unauthenticated` when it is asked for, and the others go on', async t => {
  const settings = { tenantId: tenant, clientId: 'x', credential: { kind: 'secret', secret: 'never shown' } as const, attemptTimeoutMs: 1000 }
  const directories = createEntraDirectories([
    { ...settings, providerId: 'good', authorityHost: 'https://login.microsoftonline.com' },
    { ...settings, providerId: 'bad', authorityHost: 'http://login.example' }
  ])
  t.teardown(async () => await directories.close())
  for (const providerId of ['bad', 'nobody']) {
    const error = await faultOf((async () => directories.of(providerId))())
    t.match(error, { fault: 'unauthenticated' })
    t.notMatch(error.message, /never shown/)
  }
  t.equal(directories.of('good'), directories.of('good'), 'one directory per provider')
  t.strictSame(directories.health(), [{ providerId: 'good', state: 'untried', reason: null, fault: null }])
})
