// An MCP client from the address of its authorization server to a token for its MCP server, with the `resource` that it has to send.
import t from 'tap'
import { startTestBroker } from '../../support/broker.ts'
import { createTestDatabase } from '../../support/postgres.ts'
import { discover, discovered, metadataAddresses, refusalOfSignIn, signIn } from './sign-in.ts'

const SERVER = 'https://mcp.example.com/mcp'
const SALES_TENANT = '01a20951-0000-4000-8000-0000000000b1'
const redirectUri = 'http://localhost:54212/callback'
const document = {
  client_name: 'Claude Code (mcp)',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none'
}

t.test('an MCP client gets a token for its server', async t => {
  const database = await createTestDatabase(t)
  await database.query(`INSERT INTO provider (id, name, origin, issuer, tenant_id, initial_client_id)
    VALUES (gen_random_uuid(), 'sales', 'database', 'https://sts.windows.net/sales/', $1, gen_random_uuid())`, [SALES_TENANT])
  const { issuer, simulator } = await startTestBroker(t, { database, isAtItsIssuer: true, environment: { REGISTRATION_MODE: 'open' } })
  const { control } = simulator
  const { appId } = control.addResource({ displayName: 'MCP server', identifierUris: [SERVER], scopes: ['mcp.use'], requestedAccessTokenVersion: 2 })
  control.addResource({ displayName: 'Another API', identifierUris: ['api://orders'], scopes: ['orders.read'] })
  const metadata = await discovered(issuer)
  const response = await fetch(metadata.registration_endpoint, {
    method: 'POST',
    body: JSON.stringify(document),
    headers: { 'content-type': 'application/json', accept: 'application/json', 'mcp-protocol-version': '2025-11-25' }
  })
  const client: any = await response.json()
  t.equal(response.status, 201)

  await t.test('when the server\'s URL is an identifier URI of its application and the scope begins with it', async t => {
    const { status, body } = await signIn({ metadata, client, redirectUri, scope: `${SERVER}/mcp.use offline_access`, resource: SERVER })
    t.match({ status, body }, { status: 200, body: { scope: `${SERVER}/mcp.use`, refresh_token: String } })
    t.match(claimsOf(body.access_token), { aud: appId, azp: client.client_id, scp: 'mcp.use' })
  })

  await t.test('and is refused when the resource is no identifier URI of the scope\'s application', async t => {
    const mismatches: Array<[why: string, scope: string, resource: string]> = [
      ['a scope of another application', 'api://orders/orders.read', SERVER],
      ['no scope of the application at all', 'openid offline_access', SERVER],
      ['a slash more', `${SERVER}/mcp.use`, `${SERVER}/`],
      ['the origin alone', `${SERVER}/mcp.use`, 'https://mcp.example.com']
    ]
    for (const [why, scope, resource] of mismatches) {
      const refusal = await refusalOfSignIn({ metadata, client, redirectUri, scope, resource })
      t.match(refusal, { error: 'invalid_target', description: /^AADSTS9010010: /, isShownToUser: false }, why)
    }
  })

  await t.test('whose metadata it finds in the order of the MCP specification, also for an issuer with a path', async t => {
    for (const [base, tenantId] of [[issuer, simulator.tenantId], [`${issuer}/t/sales`, SALES_TENANT]] as const) {
      const addresses = metadataAddresses(base)
      t.equal(addresses.length, base === issuer ? 2 : 3)
      for (const address of addresses) {
        const response = await fetch(address)
        t.equal(response.status, 200, address)
        t.match(await response.json(), {
          issuer: base,
          registration_endpoint: `${base}/register`,
          authorization_endpoint: `${simulator.url}/${tenantId}/oauth2/v2.0/authorize`,
          token_endpoint: `${simulator.url}/${tenantId}/oauth2/v2.0/token`,
          code_challenge_methods_supported: ['S256']
        }, 'the same issuer everywhere')
      }
    }
    for (const path of ['/t/nobody', '/t/default', '/mcp', '/t/sales/mcp']) t.equal(await discover(`${issuer}${path}`), null, `${path} is no issuer`)
  })
})

function claimsOf (token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}
