// A self-signed certificate made in memory (X.509 v3, RFC 5280 §4.1), so that no key lies in the repository and no tool is needed.
import { X509Certificate, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const tags = { integer: 0x02, bitString: 0x03, null: 0x05, objectId: 0x06, utf8String: 0x0c, utcTime: 0x17, sequence: 0x30, set: 0x31, version: 0xa0 }

function der (tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content])
  const length = Buffer.from(content.length.toString(16).padStart(4, '0'), 'hex')
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content])
}

const sha256WithRsa = der(tags.sequence, der(tags.objectId, Buffer.from('2a864886f70d01010b', 'hex')), der(tags.null))
const commonName = Buffer.from('550403', 'hex')

const utcTime = (time: Date) => der(tags.utcTime, Buffer.from(`${time.toISOString().replace(/[-:T]|\.\d+/g, '').slice(2)}`))

/** A key and its certificate, both PEM. Valid from 2020 to 2049. */
export function selfSigned (name: string): { key: string, certificate: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const subject = der(tags.sequence, der(tags.set, der(tags.sequence, der(tags.objectId, commonName), der(tags.utf8String, Buffer.from(name)))))
  const certified = der(tags.sequence,
    der(tags.version, der(tags.integer, Buffer.from([2]))),
    der(tags.integer, Buffer.from([1]), randomBytes(8)),
    sha256WithRsa,
    subject,
    der(tags.sequence, utcTime(new Date('2020-01-01')), utcTime(new Date('2049-01-01'))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' })
  )
  const signature = der(tags.bitString, Buffer.from([0]), sign('sha256', certified, privateKey))
  const encoded = der(tags.sequence, certified, sha256WithRsa, signature).toString('base64').replace(/.{64}/g, '$&\n')
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: `-----BEGIN CERTIFICATE-----\n${encoded}\n-----END CERTIFICATE-----\n`
  }
}

/** The DER form of a PEM certificate, base64, as Graph takes it in `keyCredentials`. */
export const derOf = (pem: string): string => new X509Certificate(pem).raw.toString('base64')
