// What the core asks of the vault: sealing, opening, recognising. Implemented by vault/.

/** Where a sealed value lives; bound into the ciphertext, so that it opens nowhere else. */
export interface SealedPlace {
  table: string
  rowId: string
  column: string
}

export interface Sealed {
  version: number
  kid: string
  wrappedKey: Uint8Array
  /** iv | tag | ciphertext */
  ciphertext: Uint8Array
}

export interface Verifier {
  pepperId: string
  digest: Uint8Array
}

/** Envelope encryption of secrets. Throws VaultError when a value can't be opened. */
export interface Vault {
  seal (plaintext: string, place: SealedPlace): Promise<Sealed>
  open (sealed: Sealed, place: SealedPlace): Promise<string>
  /** HMAC(pepper, client_id ‖ secret): recognises a secret without keeping it. */
  verifierOf (clientId: string, secret: string): Verifier
  /** Whether a presented secret is the one behind the verifier; in constant time. */
  isSecretOf (clientId: string, secret: string, verifier: Verifier): boolean
  /** A token of ours: 256 random bits behind a prefix that says what it is. Only its SHA-256 is kept. */
  mintToken (prefix: string): { token: string, digest: Uint8Array }
  /** SHA-256 of a presented token. */
  digestOf (token: string): Uint8Array
}

export class VaultError extends Error {
  constructor (message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'VaultError'
  }
}
