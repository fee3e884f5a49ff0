// Entra as a stand-in of known speed, in a process of its own: token endpoint, signing keys and the three Graph calls of a registration,
// answered at once or after a set latency, and counted by kind. It checks and remembers nothing: that is the simulator's work.
import { randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { publishedAt, signed } from './stub-tokens.ts'

export type UpstreamCall = 'token' | 'keys' | 'application' | 'principal' | 'password' | 'listing' | 'other'

/** What happened since the last look. */
export interface UpstreamCounts {
  calls: Record<UpstreamCall, number>
  /** How long an answer to Graph was held back, on average; timers are never early and often a little late. */
  meanHoldMs: number
}

const nothing = (): Record<UpstreamCall, number> => ({ token: 0, keys: 0, application: 0, principal: 0, password: 0, listing: 0, other: 0 })

let latencyMs = 0
let calls = nothing()
let heldMs = 0

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => serve(request, Buffer.concat(chunks).toString('utf8'), response))
})
// The broker ends idle connections; the stub never does, so that no request meets a closing socket.
server.keepAliveTimeout = 600_000
server.listen(0, '127.0.0.1', () => process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }))
process.on('disconnect', () => process.exit())

function serve (request: IncomingMessage, body: string, response: ServerResponse): void {
  const { method = '', url = '' } = request
  const [path = ''] = url.split('?')
  if (path === '/control') return control(body, response)
  if (path === '/sign') {
    signed(parse(body)).then(token => { send(response, 200, { token }) }, fail)
    return
  }
  const call = callOf(method, path)
  calls[call] += 1
  if (call === 'keys') {
    publishedAt(path).then(document => { send(response, 200, document ?? {}) }, fail)
    return
  }
  if (latencyMs === 0) return answer(call, body, response)
  const startedMs = performance.now()
  setTimeout(() => {
    if (call !== 'token' && call !== 'listing') heldMs += performance.now() - startedMs
    answer(call, body, response)
  }, latencyMs)
}

function fail (error: unknown): void {
  throw error
}

function callOf (method: string, path: string): UpstreamCall {
  if (method === 'POST' && path.endsWith('/oauth2/v2.0/token')) return 'token'
  if (method === 'PATCH' && path.startsWith('/v1.0/applications(uniqueName=')) return 'application'
  if (method === 'PATCH' && path.startsWith('/v1.0/servicePrincipals(appId=')) return 'principal'
  if (method === 'POST' && path.endsWith('/addPassword')) return 'password'
  if (method === 'GET' && path === '/v1.0/applications') return 'listing'
  if (method === 'GET' && /\/(openid-configuration|keys)$/.test(path)) return 'keys'
  return 'other'
}

function answer (call: Exclude<UpstreamCall, 'keys'>, body: string, response: ServerResponse): void {
  switch (call) {
    case 'token': return send(response, 200, { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: `stub.${'x'.repeat(1400)}.stub` })
    case 'application': return send(response, 201, { ...applicationDefaults, ...parse(body), id: randomUUID(), appId: randomUUID() })
    case 'principal': return send(response, 201, { ...principalDefaults, ...parse(body), id: randomUUID() })
    case 'password': return send(response, 200, passwordFor(parse(body)))
    // The broker reconciles once at its start. What it has made is too young to be missed.
    case 'listing': return send(response, 200, { value: [] })
    case 'other': return send(response, 404, { error: { code: 'Request_ResourceNotFound', message: 'The stub does not know this call.' } })
  }
}

/** Sets the latency of all that follows and answers with the counts since the last time. */
function control (body: string, response: ServerResponse): void {
  const graphCalls = calls.application + calls.principal + calls.password + calls.other
  const counts: UpstreamCounts = { calls, meanHoldMs: graphCalls === 0 ? 0 : heldMs / graphCalls }
  latencyMs = Number(parse(body)['latencyMs'])
  calls = nothing()
  heldMs = 0
  send(response, 200, counts)
}

function send (response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), 'request-id': randomUUID() }).end(text)
}

function parse (body: string): Record<string, unknown> {
  return JSON.parse(body) as Record<string, unknown>
}

function passwordFor ({ passwordCredential }: Record<string, unknown>): object {
  return {
    '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.passwordCredential',
    customKeyIdentifier: null,
    ...passwordCredential as object,
    keyId: randomUUID(),
    secretText: randomBytes(30).toString('base64url'),
    hint: 'abc'
  }
}

// Graph sends the whole object back: its size is part of what a registration costs.
const applicationDefaults = {
  '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#applications/$entity',
  deletedDateTime: null,
  applicationTemplateId: null,
  disabledByMicrosoftStatus: null,
  createdDateTime: '2026-01-01T00:00:00Z',
  groupMembershipClaims: null,
  identifierUris: [],
  isDeviceOnlyAuthSupported: null,
  isFallbackPublicClient: null,
  notes: null,
  publisherDomain: 'contoso.onmicrosoft.com',
  serviceManagementReference: null,
  signInAudience: 'AzureADMyOrg',
  tokenEncryptionKeyId: null,
  samlMetadataUrl: null,
  defaultRedirectUri: null,
  certification: null,
  optionalClaims: null,
  servicePrincipalLockConfiguration: null,
  requestSignatureVerification: null,
  addIns: [],
  appRoles: [],
  info: { logoUrl: null, marketingUrl: null, privacyStatementUrl: null, supportUrl: null, termsOfServiceUrl: null },
  keyCredentials: [],
  parentalControlSettings: { countriesBlockedForMinors: [], legalAgeGroupRule: 'Allow' },
  passwordCredentials: [],
  requiredResourceAccess: [],
  verifiedPublisher: { displayName: null, verifiedPublisherId: null, addedDateTime: null }
}

const principalDefaults = {
  '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#servicePrincipals/$entity',
  deletedDateTime: null,
  accountEnabled: true,
  alternativeNames: [],
  appDescription: null,
  appOwnerOrganizationId: '00000000-0000-4000-8000-000000000001',
  appRoleAssignmentRequired: false,
  createdDateTime: '2026-01-01T00:00:00Z',
  loginUrl: null,
  logoutUrl: null,
  notificationEmailAddresses: [],
  preferredSingleSignOnMode: null,
  replyUrls: [],
  servicePrincipalNames: [],
  servicePrincipalType: 'Application',
  signInAudience: 'AzureADMyOrg',
  appRoles: [],
  keyCredentials: [],
  oauth2PermissionScopes: [],
  passwordCredentials: []
}
