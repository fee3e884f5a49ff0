// The secrets of a run by a name that may be printed. Each is long and random: where one is found, it was leaked.
import { randomBytes } from 'node:crypto'

export class Canaries {
  readonly secrets = new Map<string, string>()
  /** What is no text. */
  readonly rawBytes = new Map<string, Buffer>()
  readonly #known = new Set<string>()

  /** A new one in the form of a key: letters, digits, underscores. */
  key (name: string): string {
    return this.add(name, `canary_${randomBytes(16).toString('hex')}`)
  }

  /** A new one in the form of Entra's secrets: the first three characters are its hint and may be shown. */
  entraSecret (name: string): string {
    return this.add(name, `cNy8Q~${randomBytes(24).toString('base64url').replaceAll('-', '.').slice(0, 31)}.x`)
  }

  /** One that somebody else has made; null and what is known already are left out. */
  add (name: string, secret: string): string
  add (name: string, secret: string | null): string | null
  add (name: string, secret: string | null): string | null {
    if (secret !== null && secret !== '' && !this.#known.has(secret)) {
      this.#known.add(secret)
      this.secrets.set(this.secrets.has(name) ? `${name} (${this.secrets.size})` : name, secret)
    }
    return secret
  }

  bytes (name: string, bytes: Buffer): void {
    this.rawBytes.set(name, bytes)
  }

  /** The part of a private key that no certificate shows. */
  privateKey (name: string, pem: string): void {
    const [line = ''] = pem.split('\n').slice(3)
    this.add(name, line)
  }
}
