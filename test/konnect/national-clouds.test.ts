// What Konnect gets where the tenant is in a national cloud: its issuers have other hosts.
import t from 'tap'
import { OPERATOR_KEY, request, startTestBroker } from '../support/broker.ts'

t.test('the strategy of the environment names the issuer of the cloud that AZURE_AUTHORITY_HOST is in', async t => {
  for (const [login, issuerHost] of [
    ['login.microsoftonline.com', 'sts.windows.net'],
    ['login.microsoftonline.us', 'sts.windows.net'],
    ['login.partner.microsoftonline.cn', 'sts.chinacloudapi.cn'],
    ['login.chinacloudapi.cn', 'sts.chinacloudapi.cn']
  ] as const) {
    // Nothing is asked there: no client registers.
    const { operationsUrl, simulator } = await startTestBroker(t, { environment: { AZURE_AUTHORITY_HOST: `https://${login}` } })
    const ask = async (path: string) => (await request(`${operationsUrl}/v2/application-auth-strategies${path}`, 'GET', undefined, { authorization: `Bearer ${OPERATOR_KEY}` })).body
    const { data: [strategy] } = await ask('')
    const { configs } = await ask(`/${strategy.id}/konnect`)
    t.equal(configs['openid-connect'].issuer, `https://${issuerHost}/${simulator.tenantId}/`, login)
    t.strictSame(strategy.warnings.filter((warning: string) => warning.includes('issuer')), [])
  }
})
