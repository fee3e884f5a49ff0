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
  /** As in `appidacr` and `azpacr`: '1' secret, '2' certificate or assertion. */
  proof: '1' | '2'
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The client of a token request. Throws AadstsError. */
export async function authenticateClient (
  simulation: Simulation, tenant: Tenant, form: Form, authorization: string | undefined
): Promise<AuthenticatedClient> {
  const basic = basicCredentials(authorization)
  const assertion = form['client_assertion']
  const clientId = basic?.clientId ?? form['client_id'] ?? (assertion === undefined ? undefined : subjectOf(assertion))
  if (!clientId) throw parameterMissing('client_id')
  const application = knownApplication(simulation, tenant, clientId)
  const secret = basic?.clientSecret ?? form['client_secret']
  if (assertion !== undefined) {
    if (form['client_assertion_type'] !== assertionType) throw parameterMissing('client_assertion_type')
    await checkAssertion(simulation, tenant, application, assertion)
  } else if (secret) {
    checkSecret(simulation, application, secret)
  } else {
    throw credentialMissing()
  }
  return { application, principal: knownPrincipal(simulation, tenant, application), proof: assertion === undefined ? '1' : '2' }
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

function knownApplication (simulation: Simulation, { id, directory }: Tenant, clientId: string): ApplicationRecord {
  const record = directory.applicationByAppId(clientId) ??
    lingering(simulation, directory).find(deleted => deleted.kind === 'application' && deleted.appId === clientId.toLowerCase())
  if (record?.kind !== 'application' || !isKnownToTokenEndpoint(record, simulation.lag, simulation.now())) throw applicationNotFound(clientId, id)
  return record
}

function knownPrincipal (simulation: Simulation, { id, directory }: Tenant, application: ApplicationRecord): PrincipalRecord {
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
  if (typeof thumbprint !== 'string') return checkFederated(application, assertion, now)
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

async function checkFederated (application: ApplicationRecord, assertion: string, now: number): Promise<void> {
  const { iss, sub = '' } = claimsOf(assertion)
  const trusted = application.federations.find(known => known.issuer === iss && known.subject === sub)
  if (trusted === undefined) throw federationUnknown(sub)
  await verified(assertion, createLocalJWKSet({ keys: trusted.keys }), now, [trusted.audience])
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
