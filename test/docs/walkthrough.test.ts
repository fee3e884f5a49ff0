// The examples of docs/walkthrough.md do what the page says, as they are printed.
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { delimiter, dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { OPERATOR_KEY, startTestBroker } from '../support/broker.ts'
import { ourApplications } from '../support/entra-truth.ts'

const page = await readFile('docs/walkthrough.md', 'utf8')
const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
const [given = '', ...examples] = blocks

t.test('every block of the walk through the API works when it is pasted', async t => {
  const { url, operationsUrl, simulator } = await startTestBroker(t)
  const variables = {
    OPERATIONS_URL: operationsUrl,
    BROKER_URL: url,
    OPERATOR_KEY,
    TENANT_ID: simulator.tenantId,
    ISSUER: `${simulator.url}/${simulator.tenantId}/v2.0`,
    TOKEN_URL: `${simulator.url}/${simulator.tenantId}`,
    INITIAL_CLIENT_ID: simulator.broker.clientId,
    INITIAL_CLIENT_SECRET: simulator.broker.clientSecret,
    RESOURCE_V1: 'api://gateway-v1',
    RESOURCE_V2: 'api://gateway-v2'
  }
  t.strictSame([...given.matchAll(/^export (\w+)=/gm)].map(([, name]) => name), Object.keys(variables), 'what the page starts from')
  const output = await run(examples.map(block => `${block}\necho '-- end of block'\n`).join(''), variables)
  const answers = output.split('-- end of block\n').map(answer => answer.trim())

  const [provider, verified, strategy, konnect, , clientId, v1, v2, basic, looked, ended] = answers
  t.match(JSON.parse(provider ?? ''), { provider_type: 'azureAd', name: 'contoso', dcr_config: { initial_client_id: simulator.broker.clientId } })
  t.notMatch(provider, simulator.broker.clientSecret)
  t.equal(verified, 'true')
  t.match(JSON.parse(strategy ?? ''), { name: 'entra-v1', configs: { 'openid-connect': { credential_claim: ['appid'] } } })
  t.match(JSON.parse(konnect ?? ''), { strategy_type: 'openid_connect', configs: { 'openid-connect': { token_post_args_names: ['resource'] } } })
  t.match(clientId, /^[0-9a-f-]{36}$/)
  t.strictSame(claimsOf(v1), { aud: 'api://gateway-v1', ver: '1.0', client: clientId })
  t.match(claimsOf(v2), { ver: '2.0', client: clientId })
  const [, credentials = ''] = /^Authorization: Basic (\S+)$/.exec(basic ?? '') ?? []
  t.equal(Buffer.from(credentials, 'base64').toString().split(':')[0], clientId)
  t.equal(looked, 'active\norders')
  t.equal(ended, '204')
  t.notOk(ourApplications(simulator).some(({ appId }) => appId === clientId))
})

t.test('no example lets curl take the brackets of a filter for a range', async t => {
  const pages = ['README.md', ...(await readdir('docs')).filter(name => name.endsWith('.md')).map(name => `docs/${name}`)]
  for (const page of pages) {
    const lines = (await readFile(page, 'utf8')).split('\n').filter(line => /\bcurl .*\?[^ ]*(?<!\\)\[/.test(line))
    t.strictSame(lines.filter(line => !/ -[a-z]*g| --globoff/i.test(line)), [], page)
  }
})

/** In a shell that stops at the first failure, with stand-ins for curl and jq. */
async function run (script: string, variables: Record<string, string>): Promise<string> {
  const path = [resolve('test/docs/commands'), dirname(process.execPath), process.env.PATH].join(delimiter)
  const { stdout } = await promisify(execFile)('sh', ['-euc', script], { env: { ...variables, PATH: path }, timeout: 60_000 })
  return stdout
}

function claimsOf (token: string | undefined): object {
  const { aud, ver, appid, azp } = JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
  return { aud, ver, client: appid ?? azp }
}
