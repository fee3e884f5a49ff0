// The broker's own proof of identity, read afresh for every token request: a renewed file needs no restart.
import type { NodeAuthOptions } from '@azure/msal-node'
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { DirectoryError } from '../registration/ports.ts'

export type EntraCredential =
  | { kind: 'secret', secret: string }
  /** PEM: an unencrypted private key, its certificate, and the chain if Entra is to see it. */
  | { kind: 'certificate', path: string }
  /** A projected token of the platform (AZURE_FEDERATED_TOKEN_FILE). */
  | { kind: 'federated', tokenFile: string }
  /** Kept sealed: `open` is asked for each request, and nothing of it is kept. `id` changes with the credential. */
  | { kind: 'sealed', id: string, holds: 'secret' | 'certificate', open: (signal: AbortSignal) => Promise<string> }

type Proof = Pick<NodeAuthOptions, 'clientSecret' | 'clientCertificate' | 'clientAssertion'>

/** The credential as MSAL wants it. Throws DirectoryError `unauthenticated` when a file can't be used; its content stays out of the error. */
export async function readCredential (credential: EntraCredential, signal: AbortSignal): Promise<Proof> {
  switch (credential.kind) {
    case 'secret': return { clientSecret: credential.secret }
    case 'certificate': return { clientCertificate: parseCertificate(await readOwn(credential.path, signal), credential.path) }
    case 'federated': {
      const token = (await readOwn(credential.tokenFile, signal)).trim()
      if (token === '') throw unusable(`the federated token file ${credential.tokenFile} is empty`)
      return { clientAssertion: token }
    }
    case 'sealed': {
      const text = await credential.open(signal)
      return credential.holds === 'secret' ? { clientSecret: text } : { clientCertificate: parseCertificate(text, 'the stored certificate') }
    }
  }
}

/** What of a PEM with key and certificate may be shown. Throws DirectoryError `unauthenticated` that says what is wrong with it. */
export function describeCertificate (pem: string): { fingerprint: string, expiresAt: Date } {
  const { thumbprintSha256 = '', x5c = '' } = parseCertificate(pem, 'the PEM')
  return { fingerprint: thumbprintSha256.toLowerCase(), expiresAt: new Date(parseX509(x5c, 'the PEM').validTo) }
}

/** Two that are the same need no other token. */
export function isSameCredential (one: EntraCredential, other: EntraCredential): boolean {
  return identityOf(one) === identityOf(other)
}

function identityOf (credential: EntraCredential): string {
  switch (credential.kind) {
    case 'secret': return `secret ${credential.secret}`
    case 'certificate': return `certificate ${credential.path}`
    case 'federated': return `federated ${credential.tokenFile}`
    case 'sealed': return `sealed ${credential.id}`
  }
}

async function readOwn (path: string, signal: AbortSignal): Promise<string> {
  try {
    return await readFile(path, { encoding: 'utf8', signal })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw unusable(`the broker's credential file ${path} can't be read (${code})`)
  }
}

function parseCertificate (pem: string, path: string): NonNullable<Proof['clientCertificate']> {
  const keyPem = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]+?-----END \1PRIVATE KEY-----/.exec(pem)?.[0]
  const chain = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  if (keyPem === undefined) throw unusable(`${path} holds no private key`)
  const key = parseKey(keyPem, path)
  const own = chain.map(certificate => parseX509(certificate, path)).find(certificate => certificate.checkPrivateKey(key))
  if (own === undefined) throw unusable(`${path} holds no certificate for its private key`)
  return {
    privateKey: String(key.export({ format: 'pem', type: 'pkcs8' })),
    thumbprintSha256: own.fingerprint256.replaceAll(':', ''),
    // The leaf comes first (RFC 7515 §4.1.6), whatever the order in the file.
    x5c: [own.toString(), ...chain.filter(certificate => parseX509(certificate, path).fingerprint256 !== own.fingerprint256)].join('\n')
  }
}

function parseKey (pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw unusable(`the private key in ${path} can't be used: it must be PEM and not encrypted`)
  }
}

function parseX509 (pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    throw unusable(`a certificate in ${path} can't be read`)
  }
}

function unusable (message: string): DirectoryError {
  return new DirectoryError('unauthenticated', message, { diagnostics: { reason: 'credential_unusable' } })
}
