// What the proxy has to know of PostgreSQL's protocol, version 3.

/** Types of the messages that are looked into: three of the frontend, two of the backend. */
export const MESSAGES = { parse: 0x50, bind: 0x42, sync: 0x53, commandComplete: 0x43, readyForQuery: 0x5a } as const

/** Cuts a stream into messages: a type byte, a length that counts itself, the body. The first of a client has no type. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0)
  #untyped: boolean
  readonly #look: (type: number, body: Buffer) => void

  constructor (options: { hasStartupMessage: boolean, look: (type: number, body: Buffer) => void }) {
    this.#untyped = options.hasStartupMessage
    this.#look = options.look
  }

  read (chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    for (;;) {
      const typeBytes = this.#untyped ? 0 : 1
      if (this.#rest.length < typeBytes + 4) return
      const end = typeBytes + this.#rest.readUInt32BE(typeBytes)
      if (this.#rest.length < end) return
      if (!this.#untyped) this.#look(this.#rest.readUInt8(0), this.#rest.subarray(5, end))
      this.#untyped = false
      this.#rest = this.#rest.subarray(end)
    }
  }
}

/** The first `count` zero-terminated strings of a message. */
export function cStrings (body: Buffer, count: number): string[] {
  const strings: string[] = []
  for (let start = 0; strings.length < count;) {
    const end = body.indexOf(0, start)
    if (end < 0) break
    strings.push(body.toString('utf8', start, end))
    start = end + 1
  }
  return strings
}

/** Of a Bind message: two names, the formats, the values. In text form strings, in binary form buffers. */
export function parametersOf (body: Buffer): Array<string | Buffer | null> {
  let at = cStrings(body, 2).reduce((end, name) => end + Buffer.byteLength(name) + 1, 0)
  const next16 = (): number => body.readInt16BE((at += 2) - 2)
  const formats = Array.from({ length: next16() }, next16)
  return Array.from({ length: next16() }, (_, index) => {
    const length = body.readInt32BE((at += 4) - 4)
    if (length < 0) return null
    const value = Buffer.from(body.subarray(at, at += length))
    const isBinary = (formats.length === 1 ? formats[0] : formats[index]) === 1
    return isBinary ? value : value.toString('utf8')
  })
}

/** An ErrorResponse for a statement outside a transaction, and ReadyForQuery after it. */
export function errorResponse (sqlState: string): Buffer {
  const fields = Buffer.from(`SERROR\0VERROR\0C${sqlState}\0Mraised by the test\0\0`)
  return Buffer.concat([message('E', fields), message('Z', Buffer.from('I'))])
}

function message (type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
