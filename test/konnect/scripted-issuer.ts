// An OpenID provider of a test's own: clients with any secret, tokens with any claims, keys that change. What Entra does is the simulator's.
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { exportJWK, generateKeyPair, SignJWT, type GenerateKeyPairResult, type JWK } from 'jose'
import type { Test } from 'tap'

export interface ScriptedIssuer {
  url: string
  /** Secrets by client id. */
  clients: Map<string, string>
  /** What came to the token endpoint. */
  tokenRequests: URLSearchParams[]
  /** How often the keys were asked for. */
  looks: () => number
  sign (claims: Readonly<Record<string, unknown>>): Promise<string>
  /** From now on another key signs, and is the only one there is. */
  roll (): Promise<void>
}

export async function startScriptedIssuer (t: Test): Promise<ScriptedIssuer> {
  const clients = new Map<string, string>()
  const tokenRequests: URLSearchParams[] = []
  let looks = 0
  let signing = await newKey('key-1')
  const sign: ScriptedIssuer['sign'] = claims =>
    new SignJWT({ iss: server.url, exp: Date.now() / 1000 + 3600, ...claims }).setProtectedHeader({ alg: 'RS256', kid: signing.kid }).sign(signing.privateKey)

  const http = createServer((request, response) => {
    answer(request.url ?? '', request.headers.authorization ?? '', request).then(
      ({ status, body }) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      () => response.destroy()
    )
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.after(() => { http.close(); http.closeAllConnections() })
  const server = { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` }

  async function answer (path: string, authorization: string, request: NodeJS.ReadableStream): Promise<{ status: number, body: object }> {
    if (path === '/.well-known/openid-configuration') {
      return { status: 200, body: { issuer: server.url, token_endpoint: `${server.url}/token`, jwks_uri: `${server.url}/keys` } }
    }
    if (path === '/keys') {
      looks++
      return { status: 200, body: { keys: [signing.publicJwk] } }
    }
    if (path !== '/token') return { status: 404, body: {} }
    const form = new URLSearchParams(await text(request))
    tokenRequests.push(form)
    const [clientId = '', secret = ''] = proofIn(authorization, form)
    if (clients.get(clientId) !== secret) return { status: 401, body: { error_description: 'wrong secret' } }
    return { status: 200, body: { access_token: await sign({ client: clientId }), expires_in: 3600 } }
  }

  return { url: server.url, clients, tokenRequests, looks: () => looks, sign, async roll () { signing = await newKey('key-2') } }
}

function proofIn (authorization: string, form: URLSearchParams): [clientId: string, secret: string] {
  const decoded = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString()
  const colon = decoded.indexOf(':')
  return colon < 0 ? [form.get('client_id') ?? '', form.get('client_secret') ?? ''] : [decoded.slice(0, colon), decoded.slice(colon + 1)]
}

async function newKey (kid: string): Promise<{ kid: string, privateKey: GenerateKeyPairResult['privateKey'], publicJwk: JWK }> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  return { kid, privateKey, publicJwk: { ...await exportJWK(publicKey), kid, use: 'sig' } }
}
