// Tokens of the stub upstream: one signing key, published as Entra publishes its own, and whatever claims somebody wants signed with it.
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose'

const KID = 'key-of-the-benchmark'

const keys = generateKeyPair('RS256', { extractable: true })

/** A discovery document, v1 or v2 by its path, or the key set; null for any other path. */
export async function publishedAt (path: string): Promise<object | null> {
  const [, tenantId = ''] = path.split('/')
  if (path.endsWith('/v2.0/.well-known/openid-configuration')) return { issuer: `https://login.microsoftonline.com/${tenantId}/v2.0` }
  if (path.endsWith('/.well-known/openid-configuration')) return { issuer: `https://sts.windows.net/${tenantId}/` }
  if (!/\/discovery(\/v2\.0)?\/keys$/.test(path)) return null
  return { keys: [{ ...await exportJWK((await keys).publicKey), kid: KID, use: 'sig' }] }
}

export async function signed (claims: JWTPayload): Promise<string> {
  return await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: KID }).sign((await keys).privateKey)
}
