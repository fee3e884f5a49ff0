// An independent implementation of RFC 7591, configured as near to the broker as its settings go.
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider, type Adapter, type AdapterPayload, type JWK } from 'oidc-provider'
import type { Test } from 'tap'

/** Resolves with the base of its URLs; POST /register takes documents from anybody. */
export async function startOtherProvider (t: Pick<Test, 'teardown'>): Promise<string> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const provider = new Provider(url, {
    adapter: Kept,
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none', 'private_key_jwt'],
    cookies: { keys: ['of no use here'] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      registration: { enabled: true },
      registrationManagement: { enabled: true }
    },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }) as JWK, alg: 'RS256', use: 'sig' }] },
    responseTypes: ['code'],
    routes: { registration: '/register' },
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    subjectTypes: ['public']
  })
  provider.registerGrantType('urn:ietf:params:oauth:grant-type:jwt-bearer', () => {}, [])
  server.on('request', provider.callback())
  return url
}

/** Its memory; without one of ours it warns at every start. */
class Kept implements Adapter {
  readonly #entries = new Map<string, AdapterPayload>()
  async upsert (id: string, payload: AdapterPayload): Promise<undefined> { this.#entries.set(id, payload) }
  async find (id: string): Promise<AdapterPayload | undefined> { return this.#entries.get(id) }
  async findByUserCode (): Promise<undefined> {}
  async findByUid (): Promise<undefined> {}
  async consume (): Promise<undefined> {}
  async destroy (id: string): Promise<undefined> { this.#entries.delete(id) }
  async revokeByGrantId (): Promise<undefined> {}
}
