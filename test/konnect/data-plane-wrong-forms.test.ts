// The forms that do not work with Entra, first of all those of Kong's own page about Azure: each fails at a gateway as it is documented,
// and the broker says so before anybody gets there. What it refuses can't come from it, so a gateway has it from somebody who did without.
import { decodeProtectedHeader } from 'jose'
import t from 'tap'
import { basic, bearer, startBehindAGateway, type PluginMembers } from './behind-a-gateway.ts'

const CONFIG = 'configs.openid-connect'

interface WrongForm {
  what: string
  version: 1 | 2
  members?: PluginMembers
  changes?: object
  /** How the broker refuses it. */
  refused: { field: string, reason: RegExp }
  /** What a client with Basic credentials gets at a gateway that has it all the same. */
  atTheGateway: { status: number, reason: RegExp }
}

t.test('a form that can\'t work', async t => {
  const stage = await startBehindAGateway(t)
  const { linked, registered, plane, strategyFor, operations, simulator, apis } = stage
  const { konnectId, config: v1 } = await linked(strategyFor(1))
  const { config: v2 } = await linked(strategyFor(2))
  const right = { 1: v1, 2: v2 }
  const client = await registered(konnectId)
  const foreign = simulator.control.addTenant().tenantId

  const forms: WrongForm[] = [
    {
      what: 'v2 with the scope of Microsoft Graph: its tokens validate for nobody else',
      version: 2,
      members: { scopes: ['https://graph.microsoft.com/.default'] },
      refused: { field: `${CONFIG}.scopes`, reason: /can be validated by Microsoft Graph only/ },
      atTheGateway: { status: 401, reason: /^signature: ERR_JWS_SIGNATURE_VERIFICATION_FAILED$/ }
    },
    {
      what: 'v1 with Microsoft Graph as resource: the same',
      version: 1,
      members: { token_post_args_names: ['resource'], token_post_args_values: ['https://graph.microsoft.com'] },
      refused: { field: `${CONFIG}.token_post_args_values`, reason: /can be validated by Microsoft Graph only/ },
      atTheGateway: { status: 401, reason: /^signature: ERR_JWS_SIGNATURE_VERIFICATION_FAILED$/ }
    },
    {
      what: 'v1 with the claim azp: the token has no such claim',
      version: 1,
      members: { credential_claim: ['azp'] },
      refused: { field: `${CONFIG}.credential_claim`, reason: /set it to \["appid"\]/ },
      atTheGateway: { status: 401, reason: /^no credential: the token has no azp$/ }
    },
    {
      what: 'v2 with the claim appid: the same',
      version: 2,
      members: { credential_claim: ['appid'] },
      refused: { field: `${CONFIG}.credential_claim`, reason: /set it to \["azp"\]/ },
      atTheGateway: { status: 401, reason: /^no credential: the token has no appid$/ }
    },
    ...([1, 2] as const).map((version): WrongForm => ({
      what: `v${version} with the claim client_id, as Kong's page has it: the same`,
      version,
      members: { credential_claim: ['client_id'] },
      refused: { field: `${CONFIG}.credential_claim`, reason: /never carry the client's id in client_id/ },
      atTheGateway: { status: 401, reason: /^no credential: the token has no client_id$/ }
    })),
    {
      what: 'two claims as if they were alternatives: they are a path',
      version: 1,
      members: { credential_claim: ['appid', 'azp'] },
      refused: { field: `${CONFIG}.credential_claim`, reason: /not alternatives/ },
      atTheGateway: { status: 401, reason: /^no credential: the token has no appid\.azp$/ }
    },
    {
      what: 'sub as the claim: it is in the token, and is the principal\'s id',
      version: 2,
      members: { credential_claim: ['sub'] },
      refused: { field: `${CONFIG}.credential_claim`, reason: /set it to \["azp"\]/ },
      atTheGateway: { status: 401, reason: /^no application has the client id / }
    },
    {
      what: 'v2 with openid: Entra refuses the token request',
      version: 2,
      members: { scopes: ['openid'] },
      refused: { field: `${CONFIG}.scopes`, reason: /AADSTS1002012/ },
      atTheGateway: { status: 401, reason: /^AADSTS1002012: / }
    },
    {
      what: 'v2 with openid beside the scope of the API: the same',
      version: 2,
      members: { scopes: ['openid', `${apis[2].uri}/.default`] },
      refused: { field: `${CONFIG}.scopes`, reason: /AADSTS1002012/ },
      atTheGateway: { status: 401, reason: /^AADSTS1002012: / }
    },
    {
      what: 'v2 with a permission instead of .default: the same',
      version: 2,
      members: { scopes: [`${apis[2].uri}/orders.read`] },
      refused: { field: `${CONFIG}.scopes`, reason: /AADSTS1002012/ },
      atTheGateway: { status: 401, reason: /^AADSTS1002012: / }
    },
    {
      what: 'v2 with the scopes of two APIs: the same, by another number',
      version: 2,
      members: { scopes: [`${apis[2].uri}/.default`, `${apis[1].uri}/.default`] },
      refused: { field: `${CONFIG}.scopes`, reason: /exactly one scope/ },
      atTheGateway: { status: 401, reason: /^AADSTS70011: / }
    },
    {
      what: 'v2 without a scope: the same',
      version: 2,
      members: { scopes: [] },
      refused: { field: `${CONFIG}.scopes`, reason: /exactly one scope/ },
      atTheGateway: { status: 401, reason: /^AADSTS900144: .*'scope'/ }
    },
    {
      what: 'v2 with the App ID URI as audience: aud is the appId',
      version: 2,
      changes: { audience: apis[2].uri },
      members: { audience_required: [apis[2].uri] },
      refused: { field: 'audience', reason: /never its App ID URI/ },
      atTheGateway: { status: 403, reason: /^aud / }
    },
    {
      what: 'the issuer of v2 tokens with the claim of v1 tokens: the form of two pages of Kong\'s put together',
      version: 1,
      members: { issuer: `https://login.microsoftonline.com/${simulator.tenantId}/v2.0` },
      refused: { field: 'token_version', reason: /set token_version to 2/ },
      // The v2 endpoint, to which discovery leads, wants a scope.
      atTheGateway: { status: 401, reason: /^AADSTS900144: / },
      changes: { token_version: 1 }
    },
    {
      what: 'the issuer of another tenant: the client is unknown there',
      version: 1,
      members: { issuer: `https://sts.windows.net/${foreign}/` },
      refused: { field: `${CONFIG}.issuer`, reason: /of the tenant/ },
      atTheGateway: { status: 401, reason: /^AADSTS700016: / }
    }
  ]

  for (const { what, version, members = {}, changes = {}, refused, atTheGateway } of forms) {
    t.test(what, async t => {
      const answer = await operations('POST', '/application-auth-strategies', strategyFor(version, changes, members))
      t.equal(answer.status, 400)
      t.match(answer.body.invalid_parameters.find(({ field }: { field: string }) => field === refused.field), refused)
      t.match(await plane({ ...right[version], ...members }, [client.clientId]).handle(basic(client)), atTheGateway)
    })
  }

  t.test('a token for Microsoft Graph has a nonce in its header, and is refused as Bearer too', async t => {
    const token = await stage.tokenOf(client, 2, { scope: 'https://graph.microsoft.com/.default' })
    t.type(decodeProtectedHeader(token)['nonce'], 'string')
    for (const config of [right[1], right[2]]) {
      t.match(await plane(config, [client.clientId]).handle(bearer(token)), { status: 401, reason: /VERIFICATION_FAILED$/ })
    }
  })
})
