// A self-signed certificate made with node:crypto alone (RFC 5280 §4.1), so that tests need no tool beside Node.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
const sequence = (...parts: Buffer[]): Buffer => der(0x30, ...parts)
const utcTime = (date: Date): Buffer => der(0x17, Buffer.from(date.toISOString().replaceAll(/^..|[-:T]|\.\d+/g, '')))
const sha256WithRsa = sequence(der(0x06, Buffer.from('2a864886f70d01010b', 'hex')), der(0x05))
const commonName = (name: string): Buffer =>
  sequence(der(0x31, sequence(der(0x06, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from(name)))))

/** PEM texts of a fresh RSA key and its certificate, valid from yesterday for a year. */
export function selfSigned (name = 'dcr-broker'): { key: string, certificate: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const dayMs = 86_400_000
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    sha256WithRsa,
    commonName(name),
    sequence(utcTime(new Date(Date.now() - dayMs)), utcTime(new Date(Date.now() + 365 * dayMs))),
    commonName(name),
    publicKey.export({ type: 'spki', format: 'der' })
  )
  const certificate = sequence(toBeSigned, sha256WithRsa, der(0x03, Buffer.from([0]), sign('sha256', toBeSigned, privateKey)))
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: pem('CERTIFICATE', certificate) }
}

const pem = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END ${label}-----\n`
