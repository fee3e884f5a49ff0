import t from 'tap'
import { grantTypesOf, translate } from '../../src/registration/translation.ts'

const metadata = {
  clientName: 'Orders\u202E app',
  description: 'Reads\norders',
  redirectUris: ['https://a.example/', 'myapp://cb'],
  grantTypes: ['client_credentials'],
  scopes: ['openid'],
  tokenEndpointAuthMethod: 'client_secret_basic'
}
const strategy = { id: 's', providerId: 'p', name: 'default', konnectAuthStrategyId: null, isDefault: true, tokenVersion: 1 as const }

t.test('a client becomes the Entra application that its strategy asks for', async t => {
  const identity = { registrationId: 'r1', installationId: 'i1' }
  t.strictSame(translate(metadata, strategy, identity), {
    displayName: 'Orders app',
    description: 'Reads orders',
    tags: ['dcr-broker', 'dcr-inst:i1', 'dcr-reg:r1'],
    accessTokenVersion: 1,
    redirectUris: { web: ['https://a.example/'], publicClient: ['myapp://cb'], spa: [] }
  })
  t.equal(translate(metadata, { ...strategy, tokenVersion: 2 }, identity).accessTokenVersion, 2)
})

t.test('Konnect\'s auth methods are read as grant types; unknown words are kept', async t => {
  t.strictSame(grantTypesOf(['bearer', 'session', 'client_credentials', 'introspection']), ['client_credentials'])
  t.strictSame(grantTypesOf(['authorization_code', 'refresh_token', 'kong_oauth2']), ['authorization_code', 'refresh_token', 'kong_oauth2'])
  t.strictSame(grantTypesOf([]), ['client_credentials'])
})
