// A bridge in the shape of Kong's reference handler (konnect-portal-dcr-handler): checks the key, validates the body, calls upstream and
// answers. It keeps nothing: no database, no seal, no audit, no repeat. With one call upstream as Kong's, or with the three of ours.
import { timingSafeEqual } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { Pool } from 'undici'
import { announce, endWithParent, given } from './serving.ts'

/** As many as the broker opens to a tenant at most. */
const CONNECTIONS = 64
const SECRET_LIFETIME_MS = 180 * 24 * 3_600_000

const text = { type: ['string', 'null'], maxLength: 255 }
const texts = { type: 'array', maxItems: 100, items: { type: 'string' } }
const body = {
  type: 'object',
  required: ['client_name', 'redirect_uris'],
  properties: {
    client_name: { type: 'string', maxLength: 255 },
    application_description: text,
    redirect_uris: texts,
    grant_types: texts,
    scopes: texts,
    token_endpoint_auth_method: text,
    portal_id: text,
    organization_id: text,
    developer_id: text,
    auth_strategy_id: text,
    dcr_provider_id: text
  }
}
const string = { type: 'string' }
const answer = {
  type: 'object',
  properties: { client_id: string, client_secret: string, client_id_issued_at: string, client_secret_expires_at: string }
}

interface NewApplication { client_name: string, application_description?: string, redirect_uris: string[] }
type Answer = Record<string, string>

endWithParent()
const key = Buffer.from(given('API_KEY'))
const upstream = new Pool(given('UPSTREAM_URL'), { connections: CONNECTIONS, pipelining: 1 })
const register = given('CALLS') === '1' ? registerByOneCall : registerByThreeCalls
const headers = { authorization: `Bearer ${'x'.repeat(1400)}`, 'content-type': 'application/json', prefer: 'create-if-missing' }

const server = fastify({ logger: false })
server.addHook('onRequest', async (request, reply) => {
  const presented = Buffer.from(String(request.headers['x-api-key']))
  if (presented.length !== key.length || !timingSafeEqual(presented, key)) return await reply.code(401).send({ message: 'Unauthorized' })
})
server.post<{ Body: NewApplication }>('/konnect', { schema: { body, response: { 201: answer } } }, async (request, reply) => {
  const { clientId, clientSecret } = await register(request.body, request.id)
  const issuedAt = Date.now()
  return await reply.code(201).send({
    client_id: clientId,
    client_secret: clientSecret,
    client_id_issued_at: new Date(issuedAt).toISOString(),
    client_secret_expires_at: new Date(issuedAt + SECRET_LIFETIME_MS).toISOString()
  })
})
await server.listen({ host: '127.0.0.1', port: 0 })
announce(server.server.address() as AddressInfo)

async function registerByThreeCalls (wanted: NewApplication, name: string) {
  const { id, appId } = await ensureApplication(wanted, name)
  await call('PATCH', `/v1.0/servicePrincipals(appId='${appId}')`, { displayName: wanted.client_name, tags: ['bridge'] })
  const { secretText } = await call('POST', `/v1.0/applications/${id}/addPassword`, { passwordCredential: { displayName: name } })
  return { clientId: appId, clientSecret: secretText }
}

// Kong's identity providers answer the one call with id and secret.
async function registerByOneCall (wanted: NewApplication, name: string) {
  const { id, appId } = await ensureApplication(wanted, name)
  return { clientId: appId, clientSecret: id }
}

async function ensureApplication (wanted: NewApplication, name: string): Promise<Answer> {
  return await call('PATCH', `/v1.0/applications(uniqueName='bridge-${name}')`, {
    displayName: wanted.client_name,
    description: wanted.application_description,
    signInAudience: 'AzureADMyOrg',
    tags: ['bridge'],
    web: { redirectUris: wanted.redirect_uris },
    publicClient: { redirectUris: [] },
    spa: { redirectUris: [] },
    api: { requestedAccessTokenVersion: 1 }
  })
}

async function call (method: 'PATCH' | 'POST', path: string, content: object): Promise<Answer> {
  const response = await upstream.request({ method, path, headers, body: JSON.stringify(content) })
  if (response.statusCode >= 300) throw new Error(`${method} ${path} was answered with ${response.statusCode}`)
  return await response.body.json() as Answer
}
