// Which issuers and hosts a provider may have, and what they mean. A stored secret goes there, so everything else is refused by name.
import t from 'tap'
import { AdministrationError } from '../../src/administration/errors.ts'
import { placeOf, type GivenPlace, type KnownAddresses } from '../../src/administration/provider-place.ts'

const tenantId = '0a1b2c3d-1111-4222-8333-444455556666'
const publicCloud: KnownAddresses = { authorityHost: 'https://login.microsoftonline.com', graphBaseUrl: 'https://graph.microsoft.com' }
const usCloud: KnownAddresses = { authorityHost: 'https://login.microsoftonline.us', graphBaseUrl: 'https://dod-graph.microsoft.us' }
const simulated: KnownAddresses = { authorityHost: 'http://127.0.0.1:3002', graphBaseUrl: 'http://127.0.0.1:3002' }
const own: KnownAddresses = { authorityHost: 'https://login.corp.example', graphBaseUrl: 'https://graph.corp.example' }

const given = (issuer: string, changes: Partial<GivenPlace> = {}): GivenPlace => ({ issuer, authorityHost: null, graphBaseUrl: null, ...changes })

t.test('an issuer names tenant and cloud, in Entra\'s own spelling', async t => {
  const cases: Array<[string, KnownAddresses | null, string, string, string]> = [
    [`https://sts.windows.net/${tenantId}`, publicCloud, `https://sts.windows.net/${tenantId}/`, 'https://login.microsoftonline.com', 'https://graph.microsoft.com'],
    [`https://sts.windows.net/${tenantId.toUpperCase()}/`, null, `https://sts.windows.net/${tenantId}/`, 'https://login.microsoftonline.com', 'https://graph.microsoft.com'],
    [`https://sts.windows.net/${tenantId}/`, usCloud, `https://sts.windows.net/${tenantId}/`, 'https://login.microsoftonline.us', 'https://dod-graph.microsoft.us'],
    [`https://sts.windows.net/${tenantId}/`, simulated, `https://sts.windows.net/${tenantId}/`, simulated.authorityHost, simulated.graphBaseUrl],
    [`https://sts.chinacloudapi.cn/${tenantId}/`, publicCloud, `https://sts.chinacloudapi.cn/${tenantId}/`, 'https://login.partner.microsoftonline.cn', 'https://microsoftgraph.chinacloudapi.cn'],
    [`https://login.microsoftonline.com/${tenantId}/v2.0`, usCloud, `https://login.microsoftonline.com/${tenantId}/v2.0`, 'https://login.microsoftonline.com', 'https://graph.microsoft.com'],
    [`https://login.microsoftonline.us/${tenantId}/v2.0/`, publicCloud, `https://login.microsoftonline.us/${tenantId}/v2.0`, 'https://login.microsoftonline.us', 'https://graph.microsoft.us'],
    [`http://127.0.0.1:4000/${tenantId}/v2.0`, publicCloud, `http://127.0.0.1:4000/${tenantId}/v2.0`, 'http://127.0.0.1:4000', 'http://127.0.0.1:4000'],
    [`https://login.corp.example/${tenantId}/v2.0`, own, `https://login.corp.example/${tenantId}/v2.0`, own.authorityHost, own.graphBaseUrl]
  ]
  for (const [issuer, environment, canonical, authorityHost, graphBaseUrl] of cases) {
    t.strictSame(placeOf(given(issuer), environment), { issuer: canonical, tenantId, authorityHost, graphBaseUrl }, issuer)
  }
})

t.test('hosts can be named where an issuer leaves them open', async t => {
  const v1 = `https://sts.windows.net/${tenantId}/`
  t.match(placeOf(given(v1, { authorityHost: 'https://login.microsoftonline.us/' }), publicCloud), { authorityHost: 'https://login.microsoftonline.us', graphBaseUrl: 'https://graph.microsoft.us' })
  t.match(placeOf(given(v1, { authorityHost: 'https://login.microsoftonline.us', graphBaseUrl: 'https://dod-graph.microsoft.us' }), null), { graphBaseUrl: 'https://dod-graph.microsoft.us' })
  t.match(placeOf(given(v1, { authorityHost: 'http://localhost:5000', graphBaseUrl: 'http://localhost:5001' }), publicCloud), { graphBaseUrl: 'http://localhost:5001' })
})

t.test('everything else is refused, and the sentence names the member at fault', async t => {
  const v1 = `https://sts.windows.net/${tenantId}/`
  const cases: Array<[GivenPlace, string, RegExp]> = [
    [given('contoso'), 'issuer', /not an https URL/],
    [given(`http://sts.windows.net/${tenantId}/`), 'issuer', /not an https URL/],
    [given(`https://user:pw@sts.windows.net/${tenantId}/`), 'issuer', /not an https URL/],
    [given(`${v1}?a=b`), 'issuer', /not an https URL/],
    [given('https://sts.windows.net/'), 'issuer', /names no tenant/],
    [given('https://sts.windows.net/common/'), 'issuer', /\[common\]/],
    [given('https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0'), 'issuer', /\[contoso\.onmicrosoft\.com\]/],
    [given(`https://login.microsoftonline.com/${tenantId}`), 'issuer', /neither of v1 nor of v2/],
    [given(`${v1}v2.0`), 'issuer', /no version in its path/],
    [given(`https://evil.example/${tenantId}/v2.0`), 'issuer', /\[evil\.example\]/],
    [given(`https://login.microsoftonline.com:8443/${tenantId}/v2.0`), 'issuer', /8443/],
    [given(`https://login.corp.example/${tenantId}/v2.0`), 'issuer', /login\.corp\.example/],
    [given(v1, { authorityHost: 'https://evil.example' }), 'authority_host', /\[evil\.example\]/],
    [given(v1, { authorityHost: 'https://login.microsoftonline.com/path' }), 'authority_host', /not a sign-in host/],
    [given(v1, { authorityHost: 'ftp://login.microsoftonline.com' }), 'authority_host', /Not an https address/],
    [given(`https://login.microsoftonline.us/${tenantId}/v2.0`, { authorityHost: 'https://login.microsoftonline.com' }), 'authority_host', /is not the sign-in host/],
    [given(v1, { graphBaseUrl: 'https://evil.example' }), 'graph_base_url', /evil\.example/],
    [given(v1, { graphBaseUrl: 'https://graph.microsoft.us' }), 'graph_base_url', /not Microsoft Graph of the cloud/],
    [given(v1, { graphBaseUrl: 'http://127.0.0.1:1' }), 'graph_base_url', /not Microsoft Graph/],
    [given(v1, { authorityHost: 'http://127.0.0.1:1', graphBaseUrl: 'https://graph.microsoft.com' }), 'graph_base_url', /loopback/]
  ]
  for (const [place, field, message] of cases) {
    t.throws(() => placeOf(place, publicCloud), Object.assign(new AdministrationError('', 'invalid', field), { message }), JSON.stringify(place))
  }
})
