// The grants that follow a user's sign-in: authorization_code (RFC 6749 §4.1.3, RFC 7636 §4.5) and refresh_token (§6).
// Entra decides by the platform of the redirect URI that was used how a client proves itself:
//   web            with a secret, certificate or federated assertion, and not from a browser
//   publicClient   with nothing, and not from a browser
//   spa            with nothing, from a browser
import { createHash } from 'node:crypto'
import { parameterMissing, unsupportedGrantType } from './aadsts-errors.ts'
import { knownPrincipal, nameClient, proveClient } from './client-authentication.ts'
import type { NamedClient } from './client-authentication.ts'
import { delegatedAccess } from './delegated-scopes.ts'
import type { Client, DelegatedAccess } from './delegated-scopes.ts'
import { formatOf } from './grant.ts'
import type { GrantCall } from './grant.ts'
import type { Platform } from './redirect-uris.ts'
import {
  browserGrantExpired, codeSpent, grantExpired, grantInvalid, originNotExpected, originRequired, redirectUriChanged, scopeNotGranted,
  secretNotExpected, secretRequired, verifierMismatch
} from './sign-in-errors.ts'
import type { CodeRecord, SignIn } from './sign-ins.ts'
import { graphAppId, userOf } from './tokens.ts'

type Proof = '0' | '1' | '2'

/** Redeems a code. Throws AadstsError. */
export async function authorizationCode (call: GrantCall): Promise<object> {
  const { simulation, tenant, form } = call
  const { client, named } = identify(call)
  const code = required(call, 'code')
  const redirectUri = required(call, 'redirect_uri')
  const record = tenant.signIns.codeRecord(code)
  if (record === undefined || record.clientId !== client.application.appId) throw grantInvalid()
  const proof = await proveByPlatform(call, named, record.platform)
  if (record.isSpent) throw codeSpent()
  if (record.expiresAtMs <= simulation.now()) throw grantExpired()
  if (redirectUri !== record.redirectUri) throw redirectUriChanged(redirectUri, record.redirectUri)
  requireVerifier(record, form['code_verifier'])
  const access = accessOf(call, client, record)
  tenant.signIns.spend(record)
  return answer(call, { client, proof, access, nonce: record.nonce, signIn: record })
}

/** Entra: every refresh answers a new token and leaves the old one valid until its end. Throws AadstsError. */
export async function refreshToken (call: GrantCall): Promise<object> {
  const { simulation, tenant } = call
  const { client, named } = identify(call)
  const record = tenant.signIns.refreshRecord(required(call, 'refresh_token'))
  if (record === undefined || record.clientId !== client.application.appId) throw grantInvalid()
  const proof = await proveByPlatform(call, named, record.platform)
  if (record.expiresAtMs <= simulation.now()) throw record.platform === 'spa' ? browserGrantExpired() : grantExpired()
  return answer(call, { client, proof, access: accessOf(call, client, record), nonce: null, signIn: record, endsAtMs: record.expiresAtMs })
}

function identify (call: GrantCall): { client: Client, named: NamedClient } {
  const { simulation, tenant, endpoint, form, authorization } = call
  // The older endpoint has these grants too; nobody here asks it for them.
  if (endpoint === 'v1') throw unsupportedGrantType(form['grant_type'] ?? '')
  const named = nameClient(simulation, tenant, form, authorization)
  return { named, client: { application: named.application, principal: knownPrincipal(simulation, tenant, named.application) } }
}

function required ({ form }: GrantCall, name: string): string {
  const value = form[name]
  if (!value) throw parameterMissing(name)
  return value
}

async function proveByPlatform (call: GrantCall, client: NamedClient, platform: Platform): Promise<Proof> {
  const { simulation, tenant, form, origin } = call
  const presentsCredential = client.secret !== null || client.assertion !== null
  if (platform === 'spa') {
    if (origin === undefined) throw originRequired()
    call.allowOrigin()
    if (presentsCredential) throw secretNotExpected()
    return '0'
  }
  if (origin !== undefined) throw originNotExpected(origin)
  if (platform === 'publicClient') {
    if (presentsCredential) throw secretNotExpected()
    return '0'
  }
  const proof = await proveClient(simulation, tenant, form, client)
  if (proof === null) throw secretRequired()
  return proof
}

/** RFC 7636 §4.6. */
function requireVerifier ({ challenge }: CodeRecord, verifier: string | undefined): void {
  if (challenge === null) return
  const computed = challenge.method === 'plain' ? verifier : createHash('sha256').update(verifier ?? '').digest('base64url')
  if (!verifier || computed !== challenge.value) throw verifierMismatch()
}

/** A redemption may ask for less than the user agreed to, never for more. */
function accessOf (call: GrantCall, client: Client, { scope }: SignIn): DelegatedAccess {
  const { tenant, form, resources } = call
  const agreed = delegatedAccess(tenant, client, { scope, resources })
  if (!form['scope']) return agreed
  const asked = delegatedAccess(tenant, client, { scope: form['scope'], resources })
  const isWithin = asked.resource === agreed.resource &&
    asked.permissions.every(permission => agreed.permissions.includes(permission)) &&
    asked.identityScopes.every(one => agreed.identityScopes.includes(one))
  if (!isWithin) throw scopeNotGranted()
  return asked
}

async function answer ({ simulation, tenant }: GrantCall, { client, proof, access, nonce, signIn, endsAtMs }: {
  client: Client, proof: Proof, access: DelegatedAccess, nonce: string | null, signIn: SignIn, endsAtMs?: number
}): Promise<object> {
  const { resource, named, permissions, identityScopes, granted } = access
  const isForGraph = resource.appId === graphAppId
  const clientId = client.application.appId
  const user = userOf(tenant.id)
  const nowMs = simulation.now()
  const issued = await simulation.signer.issue({
    tenantId: tenant.id,
    ...formatOf(tenant, resource, named),
    isForGraph,
    clientId,
    principalId: client.principal.id,
    proof,
    roles: [],
    onBehalfOf: { user, permissions: isForGraph ? [...identityScopes.filter(one => one !== 'offline_access'), ...permissions] : permissions },
    nowMs
  })
  return {
    token_type: 'Bearer',
    scope: granted,
    expires_in: issued.expiresIn,
    ext_expires_in: issued.expiresIn,
    access_token: issued.token,
    ...(identityScopes.includes('offline_access') ? { refresh_token: tenant.signIns.addRefreshToken(signIn, endsAtMs) } : {}),
    ...(identityScopes.includes('openid')
      ? { id_token: await simulation.signer.issueIdToken({ tenantId: tenant.id, clientId, user, nonce, identityScopes, nowMs }) }
      : {})
  }
}
