// Which strategies can't work with Entra, which are doubtful, and what the sentences propose.
import t from 'tap'
import { konnectStrategyOf } from '../../src/administration/konnect-strategy.ts'
import { judgeStrategy } from '../../src/administration/strategy-consistency.ts'
import type { StrategyContent } from '../../src/administration/strategies-port.ts'

const TENANT = '11111111-2222-4333-8444-555555555555'
const OTHER_TENANT = '99999999-2222-4333-8444-555555555555'
const API = '6f0c1f5e-7a0e-4c6e-9f43-0d1d3a6c1b11'
const GRAPH = '00000003-0000-0000-c000-000000000000'
const V1 = `https://sts.windows.net/${TENANT}/`
const V2 = `https://login.microsoftonline.com/${TENANT}/v2.0`

const v1: StrategyContent = {
  name: 'v1',
  displayName: null,
  issuer: V1,
  credentialClaim: ['appid'],
  scopes: [],
  authMethods: ['client_credentials', 'bearer'],
  extraConfig: {},
  konnectAuthStrategyId: null,
  resourceAppId: null,
  audience: 'api://orders',
  tokenVersion: 1,
  checkSecretsAtEntra: false,
  isDefault: false,
  labels: {}
}
const v2: StrategyContent = { ...v1, name: 'v2', issuer: V2, credentialClaim: ['azp'], scopes: ['api://orders/.default'], resourceAppId: API, audience: API, tokenVersion: 2 }

const judge = (content: StrategyContent, issuer = V1) => judgeStrategy(content, { name: 'default', tenantId: TENANT, issuer })
const CONFIG = 'configs.openid-connect'

t.test('the two forms that work have nothing to say', async t => {
  for (const content of [
    v1, v2,
    { ...v1, issuer: `https://sts.windows.net/${TENANT}` },
    { ...v1, issuer: `https://login.microsoftonline.com/${TENANT}/.well-known/openid-configuration` },
    { ...v1, audience: `api://${API}`, resourceAppId: API },
    { ...v2, issuer: `${V2}/.well-known/openid-configuration` },
    { ...v2, audience: null },
    { ...v2, scopes: [`${API}/.default`] },
    { ...v2, scopes: ['openid', 'api://orders/orders.read'], authMethods: ['authorization_code', 'session'] },
    { ...v1, extraConfig: { client_secret: ['{vault://env/secret}'], password_param_type: ['header'], redis: { port: 6379 } } }
  ]) t.strictSame(judge(content), { faults: [], warnings: [] }, JSON.stringify(content))
})

t.test('what can\'t work is refused at its member, and the sentence names the way out', async t => {
  const cases: Array<[what: string, content: StrategyContent, field: string, reason: RegExp]> = [
    ['v1 with azp', { ...v1, credentialClaim: ['azp'] }, `${CONFIG}.credential_claim`, /set it to \["appid"\], or use the v2 issuer/],
    ['v2 with appid', { ...v2, credentialClaim: ['appid'] }, `${CONFIG}.credential_claim`, /set it to \["azp"\], or use the v1 issuer/],
    ['no claim', { ...v1, credentialClaim: [] }, `${CONFIG}.credential_claim`, /set it to \["appid"\]/],
    ['alternative claims', { ...v1, credentialClaim: ['appid', 'azp'] }, `${CONFIG}.credential_claim`, /path into a nested claim.*\["appid"\]/],
    ['client_id', { ...v2, credentialClaim: ['client_id'] }, `${CONFIG}.credential_claim`, /never carry.*\["azp"\]/],
    ['version 1 with the v2 issuer', { ...v2, tokenVersion: 1 }, 'token_version', /set token_version to 2/],
    ['version 2 with the v1 issuer', { ...v1, tokenVersion: 2 }, 'token_version', /set token_version to 1/],
    ['another tenant', { ...v1, issuer: V1.replace(TENANT, OTHER_TENANT) }, `${CONFIG}.issuer`, new RegExp(`${OTHER_TENANT}.*use https://sts.windows.net/${TENANT}/`)],
    ['no tenant', { ...v2, issuer: 'https://login.microsoftonline.com/common/v2.0' }, `${CONFIG}.issuer`, /names no tenant/],
    ['Graph as resource', { ...v1, resourceAppId: GRAPH, audience: null }, 'resource_app_id', /Microsoft Graph only/],
    ['Graph as audience', { ...v1, audience: 'https://graph.microsoft.com/' }, 'audience', /Microsoft Graph only/],
    ['Graph by its appId', { ...v2, audience: GRAPH, resourceAppId: null }, 'audience', /Microsoft Graph only/],
    ['Graph as scope', { ...v2, scopes: ['https://graph.microsoft.com/.default'] }, `${CONFIG}.scopes`, /api:\/\/orders\/\.default/],
    ['Graph in the token request', { ...v1, extraConfig: { token_post_args_names: ['resource'], token_post_args_values: ['https://graph.microsoft.com'] } },
      `${CONFIG}.token_post_args_values`, /Microsoft Graph only/],
    ['openid with client credentials', { ...v2, scopes: ['openid'] }, `${CONFIG}.scopes`, new RegExp(`AADSTS1002012.*"${API}/.default"`)],
    ['two scopes', { ...v2, scopes: ['api://orders/.default', 'api://sales/.default'] }, `${CONFIG}.scopes`, /exactly one scope/],
    ['no scope', { ...v2, scopes: [] }, `${CONFIG}.scopes`, /exactly one scope/],
    ['a delegated scope', { ...v2, scopes: ['api://orders/orders.read'] }, `${CONFIG}.scopes`, /\/\.default/],
    ['a scope of another API', { ...v2, scopes: [`${TENANT}/.default`] }, `${CONFIG}.scopes`, /the same API/],
    ['an App ID URI with v2', { ...v2, audience: 'api://orders' }, 'audience', new RegExp(`set audience to ${API}`)],
    ['another API as audience', { ...v2, audience: TENANT }, 'audience', /the same API/],
    ['a secret', { ...v1, extraConfig: { client_secret: ['hunter2'] } }, `${CONFIG}.client_secret`, /\{vault:\/\//],
    ['a secret further in', { ...v1, extraConfig: { redis: { password: 'hunter2' } } }, `${CONFIG}.redis.password`, /is a secret/],
    ['a private key', { ...v1, extraConfig: { client_jwk: [{ kty: 'RSA' }] } }, `${CONFIG}.client_jwk`, /is a secret/]
  ]
  for (const [what, content, field, reason] of cases) {
    const { faults } = judge(content)
    t.match(faults, [{ field, reason }], what)
    t.equal(faults.length, 1, `${what}: one fault`)
    t.notMatch(JSON.stringify(faults), 'hunter2')
  }
})

t.test('the issuer is of the provider\'s cloud; two clouds share that of v1 tokens, and of other hosts nothing is known', async t => {
  const inChina = [`https://sts.chinacloudapi.cn/${TENANT}/`, `https://login.partner.microsoftonline.cn/${TENANT}/v2.0`, `https://login.chinacloudapi.cn/${TENANT}/v2.0`]
  const ofUs = `https://login.microsoftonline.us/${TENANT}/v2.0`
  const own = `http://127.0.0.1:3002/${TENANT}/v2.0`
  const faultsOf = (issuer: string, ofProvider: string) => judge({ ...issuer.endsWith('/v2.0') ? v2 : v1, issuer }, ofProvider).faults
  for (const [issuer, ofProvider] of [
    ...inChina.flatMap(one => inChina.map(other => [one, other] as const)),
    [V1, ofUs], [ofUs, V1], [V1, V2], [V2, V1], [V2, own], [own, V2], [inChina[0] ?? '', own]
  ] as const) t.strictSame(faultsOf(issuer, ofProvider), [], `${issuer} at a provider with ${ofProvider}`)
  for (const issuer of inChina) {
    const reason = `The issuer is of another cloud than the provider default, where its clients get their tokens: use ${V1} (v1) or ${V2} (v2).`
    t.strictSame(faultsOf(issuer, V1), [{ field: `${CONFIG}.issuer`, reason }])
    t.match(faultsOf(V1, issuer), [{ reason: `use https://sts.chinacloudapi.cn/${TENANT}/ (v1) or https://login.partner.microsoftonline.cn/${TENANT}/v2.0 (v2).` }])
  }
  t.match(faultsOf(V2, ofUs), [{ reason: `or ${ofUs} (v2)` }])
})

t.test('what is doubtful is said and accepted', async t => {
  const cases: Array<[what: string, content: StrategyContent, ...warnings: RegExp[]]> = [
    ['no audience', { ...v1, audience: null }, /set audience/, /Azure AD Graph.*set audience/],
    ['scopes with v1', { ...v1, scopes: ['openid'] }, /does not read scopes.*openid/],
    ['the appId as audience of v1', { ...v1, audience: API }, /ask with the appId/],
    ['an App ID URI of another appId', { ...v1, audience: `api://${TENANT}`, resourceAppId: API }, /usually/],
    ['a mapped claim', { ...v2, credentialClaim: ['client'] }, /claims mapping/],
    ['a tenant by its domain', { ...v2, issuer: 'https://login.microsoftonline.com/contoso.com/v2.0' }, /has not been checked/],
    ['another form', { ...v2, issuer: 'https://login.example.com/a/b/c' }, /neither of Entra's forms/],
    ['no resource among the arguments', { ...v1, extraConfig: { token_post_args_names: ['a'], token_post_args_values: ['b'] } }, /Azure AD Graph.*add resource/],
    ['password beside client_credentials', { ...v1, authMethods: ['client_credentials', 'password'] }, /take password out/],
    ['signatures not verified', { ...v2, extraConfig: { verify_signature: false } }, /verify_signature is off/],
    ['claims not verified', { ...v2, extraConfig: { verify_claims: false } }, /verify_claims is off/],
    ['audience_required of its own', { ...v1, extraConfig: { audience_required: ['api://sales'] } }, /goes by audience_required/]
  ]
  for (const [what, content, ...expected] of cases) {
    const { faults, warnings } = judge(content)
    t.strictSame(faults, [], what)
    t.match(warnings, expected, what)
    t.equal(warnings.length, expected.length, what)
  }
})

t.test('all faults are found at once', async t => {
  t.equal(judge({ ...v1, credentialClaim: ['azp'], tokenVersion: 2, audience: GRAPH, issuer: V1.replace(TENANT, OTHER_TENANT) }).faults.length, 4)
})

t.test('Konnect gets what the strategy knows about the audience in the words of Kong\'s plugin, unless it was said there', async t => {
  t.strictSame(konnectStrategyOf({ ...v1, displayName: 'Entra', labels: { team: 'a' } }, TENANT), {
    name: 'v1',
    display_name: 'Entra',
    strategy_type: 'openid_connect',
    configs: {
      'openid-connect': {
        audience_required: ['api://orders'],
        token_post_args_names: ['resource'],
        token_post_args_values: ['api://orders'],
        issuer: V1,
        credential_claim: ['appid'],
        scopes: [],
        auth_methods: ['client_credentials', 'bearer']
      }
    },
    dcr_provider_id: TENANT,
    labels: { team: 'a' }
  })
  t.strictSame(konnectStrategyOf({ ...v2, audience: null, extraConfig: { cache_tokens: false } }, null), {
    name: 'v2',
    display_name: 'v2',
    strategy_type: 'openid_connect',
    configs: {
      'openid-connect': {
        audience_required: [API],
        cache_tokens: false,
        issuer: V2,
        credential_claim: ['azp'],
        scopes: ['api://orders/.default'],
        auth_methods: ['client_credentials', 'bearer']
      }
    }
  })
  t.match(konnectStrategyOf({ ...v2, audience: API.toUpperCase() }, null).configs['openid-connect'], { audience_required: [API] }, 'as tokens have it')
  const own = { audience_required: ['x'], token_post_args_names: ['a'], token_post_args_values: ['b'] }
  t.match(konnectStrategyOf({ ...v1, extraConfig: own }, null).configs['openid-connect'], own)
  t.notOk('token_post_args_names' in konnectStrategyOf({ ...v1, authMethods: ['bearer'] }, null).configs['openid-connect'], 'the client asks itself')
})
