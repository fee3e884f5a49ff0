// A proxy in front of PostgreSQL that stops one chosen statement: before the server has seen it, or after it was committed and
// before its client hears of it. Every write of the broker is one statement, so this cuts a commit on either side.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface Hold {
  /** Fits the text of the statement. */
  statement: RegExp
  /** Fits its parameters, read as text. */
  parameters?: RegExp
  side: 'before' | 'after'
}

export interface PostgresProxy {
  /** The given connection string, through the proxy. */
  url: string
  /** Stops the next statement that fits, for ever. Resolves when it is stopped (`after`: committed, its answer kept back). */
  hold (hold: Hold): Promise<void>
}

interface ArmedHold extends Hold {
  reached: () => void
}

/** Messages of the frontend that are looked into (PostgreSQL's protocol, version 3). */
const PARSE = 0x50
const BIND = 0x42
const READY_FOR_QUERY = 0x5a

export async function startPostgresProxy (t: Pick<Test, 'teardown'>, databaseUrl: string): Promise<PostgresProxy> {
  const upstream = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const armed: ArmedHold[] = []
  const server = createServer(client => {
    const database = connect(Number(upstream.port || 5432), upstream.hostname)
    for (const socket of [client, database]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => {
        client.destroy()
        database.destroy()
        sockets.delete(socket)
      })
    }
    join(client, database, armed)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    hold: async hold => await new Promise(resolve => armed.push({ ...hold, reached: resolve }))
  }
}

/** Passes bytes both ways until a held statement comes by. */
function join (client: Socket, database: Socket, armed: ArmedHold[]): void {
  const statements = new Map<string, string>()
  let caught: ArmedHold | undefined

  const look = (type: number, body: Buffer): void => {
    if (type === PARSE) {
      const [name = '', text = ''] = cStrings(body, 2)
      statements.set(name, text)
    } else if (type === BIND) {
      const [, name = ''] = cStrings(body, 2)
      const text = statements.get(name) ?? ''
      const index = armed.findIndex(hold => hold.statement.test(text) && (hold.parameters?.test(body.toString('utf8')) ?? true))
      if (index >= 0) caught = armed.splice(index, 1)[0]
    }
  }
  const frontend = new MessageReader({ hasStartupMessage: true, look })
  const backend = new MessageReader({
    hasStartupMessage: false,
    // The transaction of a single statement has ended when the server is ready for the next one.
    look: type => { if (type === READY_FOR_QUERY && caught?.side === 'after') caught.reached() }
  })
  client.on('data', chunk => {
    frontend.read(chunk)
    if (caught?.side === 'before') return caught.reached()
    database.write(chunk)
  })
  database.on('data', chunk => {
    backend.read(chunk)
    if (caught === undefined) client.write(chunk)
  })
}

/** Cuts a stream into messages: a type byte, a length that counts itself, the body. The first of a client has no type. */
class MessageReader {
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
function cStrings (body: Buffer, count: number): string[] {
  const strings: string[] = []
  for (let start = 0; strings.length < count;) {
    const end = body.indexOf(0, start)
    if (end < 0) break
    strings.push(body.toString('utf8', start, end))
    start = end + 1
  }
  return strings
}
