// How a client proves itself at the token endpoint: secret by Basic or in the body, certificate, or a federated assertion.
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, errors, importX509, jwtVerify } from 'jose'
import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import {
  applicationNotFound, assertionCertificateUnknown, assertionMalformed, assertionOutOfTime, assertionRefused, credentialMissing,
  federationUnknown, parameterMissing, principalDisabled, principalMissing, secretExpired, secretInvalid
} from './aadsts-errors.ts'
import type { Directory } from './directory.ts'
import { acceptedPasswords, isKnownToTokenEndpoint } from './lag.ts'
import { digestOf } from './passwords-routes.ts'
import type { ApplicationRecord, DirectoryRecord, PrincipalRecord } from './records.ts'
import type { Simulation, Tenant } from './tenants.ts'
import { v1Issuer, v2Issuer } from './tokens.ts'

export type Form = Readonly<Record<string, string>>

export interface AuthenticatedClient {
  application: ApplicationRecord
  principal: PrincipalRecord
  /** As in `appidacr` and `azpacr`: '1' secret, '2' certificate or assertion. A public client has '0'. */
  proof: '1' | '2'
}

/** A client that a request names. What it presents may be wrong. */
export interface NamedClient {
  application: ApplicationRecord
  secret: string | null
  assertion: string | null
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The client of a token request. Throws AadstsError. */
export async function authenticateClient (
  simulation: Simulation, tenant: Tenant, form: Form, authorization: string | undefined
): Promise<AuthenticatedClient> {
  const client = nameClient(simulation, tenant, form, authorization)
  const proof = await proveClient(simulation, tenant, form, client)
  if (proof === null) throw credentialMissing()
  return { application: client.application, principal: knownPrincipal(simulation, tenant, client.application), proof }
}

/** Who a token request says it is from, without a look at its credential. Throws AadstsError. */
export function nameClient (simulation: Simulation, tenant: Tenant, form: Form, authorization: string | undefined): NamedClient {
  const basic = basicCredentials(authorization)
  const assertion = form['client_assertion']
  const clientId = basic?.clientId ?? form['client_id'] ?? (assertion === undefined ? undefined : subjectOf(assertion))
  if (!clientId) throw parameterMissing('client_id')
  const secret = basic?.clientSecret ?? form['client_secret']
  return { application: knownApplication(simulation, tenant, clientId), secret: secret || null, assertion: assertion ?? null }
}

/** Checks the credential a client presents; null when it presents none. Throws AadstsError for a wrong one. */
export async function proveClient (
  simulation: Simulation, tenant: Tenant, form: Form, { application, secret, assertion }: NamedClient
): Promise<AuthenticatedClient['proof'] | null> {
  if (assertion !== null) {
    if (form['client_assertion_type'] !== assertionType) throw parameterMissing('client_assertion_type')
    await checkAssertion(simulation, tenant, application, assertion)
    return '2'
  }
  if (secret === null) return null
  checkSecret(simulation, application, secret)
  return '1'
}

/** RFC 6749 §2.3.1: both parts are form-encoded before they are joined. */
function basicCredentials (authorization: string | undefined): { clientId: string, clientSecret: string } | null {
  const encoded = /^Basic ([\w+/=-]+)$/i.exec(authorization ?? '')?.[1]
  if (encoded === undefined) return null
  const [clientId = '', ...rest] = Buffer.from(encoded, 'base64').toString().split(':')
  return { clientId: formDecoded(clientId), clientSecret: formDecoded(rest.join(':')) }
}

function formDecoded (text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/** The application as the identity endpoints know it. Throws AadstsError 700016. */
export function knownApplication (simulation: Simulation, { id, directory }: Tenant, clientId: string): ApplicationRecord {
  const record = directory.applicationByAppId(clientId) ??
    lingering(simulation, directory).find(deleted => deleted.kind === 'application' && deleted.appId === clientId.toLowerCase())
  if (record?.kind !== 'application' || !isKnownToTokenEndpoint(record, simulation.lag, simulation.now())) throw applicationNotFound(clientId, id)
  return record
}

/** Its service principal. Throws AadstsError 7000229, or 7000112 when it is disabled. */
export function knownPrincipal (simulation: Simulation, { id, directory }: Tenant, application: ApplicationRecord): PrincipalRecord {
  const record = directory.principalByAppId(application.appId) ??
    lingering(simulation, directory).find(deleted => deleted.kind === 'servicePrincipal' && deleted.appId === application.appId)
  if (record?.kind !== 'servicePrincipal' || !isKnownToTokenEndpoint(record, simulation.lag, simulation.now())) {
    throw principalMissing(application.appId, id)
  }
  if (record.properties.accountEnabled === false) throw principalDisabled(application.appId, application.properties.displayName ?? '')
  return record
}

/** Deleted objects matter to the token endpoint only while they linger. */
const lingering = ({ lag }: Simulation, { deleted }: Directory): DirectoryRecord[] => lag.tokenLingerMs > 0 ? [...deleted.values()] : []

function checkSecret (simulation: Simulation, application: ApplicationRecord, secret: string): void {
  const now = simulation.now()
  const digest = digestOf(secret)
  const match = acceptedPasswords(application, simulation.lag, now).find(password => password.digest === digest)
  if (match === undefined || Date.parse(match.startDateTime) > now) throw secretInvalid(application.appId)
  if (Date.parse(match.endDateTime) <= now) throw secretExpired(application.appId)
}

async function checkAssertion (simulation: Simulation, tenant: Tenant, application: ApplicationRecord, assertion: string): Promise<void> {
  const header = headerOf(assertion)
  const thumbprint = header['x5t#S256']
  const now = simulation.now()
  if (typeof thumbprint !== 'string') return checkFederated(simulation, application, assertion)
  const certificate = application.certificates.find(known => known.thumbprint === thumbprint)
  if (certificate === undefined || Date.parse(certificate.endDateTime) <= now) throw assertionCertificateUnknown(thumbprint)
  const key = await importX509(certificate.pem, String(header.alg))
  const claims = await verified(assertion, () => key, now, acceptedAudiences(simulation, tenant))
  if (claims.iss !== application.appId || claims.sub !== application.appId) throw assertionRefused('iss and sub must be the client id.')
}

/** Entra: the token endpoint's own URL, or the issuer. A client may know the endpoint by its public name or by ours. */
const acceptedAudiences = (simulation: Simulation, { id }: Tenant): string[] => [
  v1Issuer(id),
  v2Issuer(id),
  ...['https://login.microsoftonline.com', simulation.url()]
    .flatMap(origin => [`${origin}/${id}/oauth2/token`, `${origin}/${id}/oauth2/v2.0/token`])
]

async function checkFederated (simulation: Simulation, application: ApplicationRecord, assertion: string): Promise<void> {
  const { iss, sub = '' } = claimsOf(assertion)
  const trusted = application.federations.find(known => known.issuer === iss && known.subject === sub)
  if (trusted === undefined) throw federationUnknown(sub)
  const keys = trusted.keys.length > 0 ? trusted.keys : simulation.federationKeys.get(trusted.issuer)
  if (keys === undefined) throw assertionRefused(`the keys of '${trusted.issuer}' are not known here.`)
  await verified(assertion, createLocalJWKSet({ keys }), simulation.now(), [trusted.audience])
}

async function verified (assertion: string, key: JWTVerifyGetKey, now: number, audience: string[]): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(assertion, key, { audience, currentDate: new Date(now), requiredClaims: ['exp'], clockTolerance: 300 })
    return payload
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw assertionOutOfTime()
    throw assertionRefused(error instanceof errors.JOSEError ? error.message : 'it cannot be verified.')
  }
}

const subjectOf = (assertion: string): string | undefined => claimsOf(assertion).sub

function claimsOf (assertion: string): JWTPayload {
  try {
    return decodeJwt(assertion)
  } catch {
    throw assertionMalformed()
  }
}

function headerOf (assertion: string) {
  try {
    return decodeProtectedHeader(assertion)
  } catch {
    throw assertionMalformed()
  }
}
