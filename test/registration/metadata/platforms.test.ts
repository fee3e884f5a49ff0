import t from 'tap'
import { platformsOf } from '../../../src/registration/metadata/platforms.ts'
import { answering, registering, type Document } from './requests.ts'

t.test('each URI stands on one platform: web for a client that authenticates, publicClient for one that does not and for schemes of installed apps', async t => {
  const uris = ['https://a.example/', 'http://localhost/', 'myapp://cb']
  for (const method of ['client_secret_post', 'private_key_jwt']) {
    t.strictSame(platformsOf(uris, method), { web: ['https://a.example/', 'http://localhost/'], publicClient: ['myapp://cb'], spa: [] }, method)
  }
  t.strictSame(platformsOf(uris, 'none'), { web: [], publicClient: uris, spa: [] })
  t.strictSame(platformsOf(uris.slice(0, 2), 'none', 'spa'), { web: [], publicClient: [], spa: uris.slice(0, 2) })
})

t.test('loopback URIs that differ only in their port are one in Entra, and all of them in the document', async t => {
  const uris = ['http://localhost:1/cb', 'https://a.example:1/', 'http://localhost:2/cb', 'https://a.example:2/', 'http://localhost:2/other', 'http://127.0.0.1:1/cb']
  t.strictSame(platformsOf(uris, 'none').publicClient, ['http://localhost:1/cb', 'https://a.example:1/', 'https://a.example:2/', 'http://localhost:2/other', 'http://127.0.0.1:1/cb'])
  t.strictSame(answering({ redirect_uris: uris, token_endpoint_auth_method: 'none' }).redirect_uris, uris)
})

t.test('a platform that was named is kept and echoed', async t => {
  t.equal(answering({ entra_platform: 'spa', token_endpoint_auth_method: 'none' }).entra_platform, 'spa')
  t.equal(answering({ entra_platform: 'publicClient', token_endpoint_auth_method: 'none', redirect_uris: ['myapp://cb'] }).entra_platform, 'publicClient')
  t.equal(answering({ entra_platform: 'web', redirect_uris: ['http://localhost/'] }).entra_platform, 'web')
})

t.test('a platform on which the client could never redeem a code is refused with the one it needs', async t => {
  for (const [document, sentence] of [
    [{ entra_platform: 'spa' }, /none/],
    [{ entra_platform: 'publicClient', token_endpoint_auth_method: 'client_secret_post' }, /use web/],
    [{ entra_platform: 'web', token_endpoint_auth_method: 'none' }, /publicClient or spa/],
    [{ entra_platform: 'spa', token_endpoint_auth_method: 'none', redirect_uris: ['https://a.example/', 'myapp://cb'] }, /redirect_uris\[1\]/],
    [{ entra_platform: 'web', redirect_uris: ['myapp://cb'] }, /redirect_uris\[0\]/],
    [{ entra_platform: 'desktop' }, /'desktop'.*web, publicClient, spa/]
  ] as Array<[Document, RegExp]>) {
    t.throws(() => registering(document), { code: 'invalid_client_metadata', publicMessage: sentence }, JSON.stringify(document))
  }
})
