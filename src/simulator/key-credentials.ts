// Graph: `keyCredentials` of an application. A PATCH replaces the whole collection; an entry that is there already may come without
// its key, as a read shows it.
import { X509Certificate, randomUUID } from 'node:crypto'
import { badRequest, GraphError, invalidValue } from './graph-errors.ts'
import type { CertificateRecord } from './records.ts'

/** A certificate as it is kept. Times are the certificate's own. Throws when `source` (PEM or DER) is none. */
export function certificateRecord (source: string | Buffer): CertificateRecord {
  const certificate = new X509Certificate(source)
  return {
    keyId: randomUUID(),
    displayName: certificate.subject,
    thumbprint: Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'),
    pem: certificate.toString(),
    startDateTime: new Date(certificate.validFrom).toISOString(),
    endDateTime: new Date(certificate.validTo).toISOString()
  }
}

/** The certificates that a PATCH leaves. Throws GraphError 400. */
export function certificatesOf (value: unknown, current: readonly CertificateRecord[], nowMs: number): CertificateRecord[] {
  if (!Array.isArray(value)) throw invalidValue('keyCredentials', 'Application', "A value of type 'Collection' is expected.")
  const certificates = value.map(entry => certificateOf(entry, current, nowMs))
  if (new Set(certificates.map(({ keyId }) => keyId)).size < certificates.length) {
    throw badRequest('The keyCredentials have a keyId twice.')
  }
  return certificates
}

const members = ['key', 'type', 'usage', 'keyId', 'displayName', 'customKeyIdentifier', 'startDateTime', 'endDateTime']

function certificateOf (entry: unknown, current: readonly CertificateRecord[], nowMs: number): CertificateRecord {
  if (typeof entry !== 'object' || entry === null) throw refused('An object is expected.')
  const given: Record<string, unknown> = Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== null))
  const unknown = Object.keys(given).find(name => !members.includes(name) && !name.startsWith('@odata.'))
  if (unknown !== undefined) throw badRequest(`Invalid property '${unknown}'.`)
  const notText = members.find(name => name in given && typeof given[name] !== 'string')
  if (notText !== undefined) throw refused(`A value of type 'Edm.String' is expected for '${notText}'.`)
  const { key, keyId, type, usage, displayName, customKeyIdentifier } = given as Record<string, string | undefined>
  const known = current.find(certificate => certificate.keyId === keyId)
  if (key === undefined) {
    if (known === undefined) throw refused('A new key credential needs a key.')
    return known
  }
  if (type !== 'AsymmetricX509Cert') throw refused('The type of a certificate is AsymmetricX509Cert.')
  if (usage !== 'Verify') {
    throw badRequest('The value for the property "usage" in one of your credentials is invalid. Acceptable values are Sign, Verify.')
  }
  const read = readCertificate(key)
  return {
    ...read,
    ...validity(read, given, nowMs),
    displayName: displayName ?? read.displayName,
    keyId: keyId ?? read.keyId,
    ...(customKeyIdentifier === undefined ? {} : { customKeyIdentifier })
  }
}

function readCertificate (key: string): CertificateRecord {
  if (!/^[\w+/-]+={0,2}$/.test(key)) throw refused('The key is not base64.')
  try {
    return certificateRecord(Buffer.from(key, 'base64'))
  } catch {
    throw refused('The key is not a valid certificate.')
  }
}

/** Entra: a certificate may be registered for less than its own life, not for more, and not when it is over. */
function validity (read: CertificateRecord, given: Record<string, unknown>, nowMs: number): { startDateTime: string, endDateTime: string } {
  const startMs = timeOf(given['startDateTime'] ?? read.startDateTime)
  const endMs = timeOf(given['endDateTime'] ?? read.endDateTime)
  if (startMs < Date.parse(read.startDateTime) || startMs >= endMs) {
    throw new GraphError(400, 'KeyCredentialsInvalidStartDate', 'Key credential start date is invalid.')
  }
  if (endMs > Date.parse(read.endDateTime) || endMs <= nowMs) {
    throw new GraphError(400, 'KeyCredentialsInvalidEndDate', 'Key credential end date is invalid.')
  }
  return { startDateTime: new Date(startMs).toISOString(), endDateTime: new Date(endMs).toISOString() }
}

function timeOf (value: unknown): number {
  const timeMs = Date.parse(String(value))
  if (Number.isNaN(timeMs)) throw badRequest(`Cannot convert the literal '${String(value)}' to the expected type 'Edm.DateTimeOffset'.`)
  return timeMs
}

const refused = (why: string): GraphError => invalidValue('keyCredentials', 'Application', why)
