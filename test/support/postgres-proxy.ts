// A proxy in front of PostgreSQL that breaks what a test tells it to. One chosen statement: kept back before the server has seen it or
// after it was committed and before its client hears of it, its connection cut there, or refused. Every write of the broker is
// one statement, so this cuts a commit on either side. Or the whole database: away, silent, at another address.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'
import { cStrings, errorResponse, MESSAGES, MessageReader, parametersOf } from './postgres-protocol.ts'

export interface Hold {
  /** Fits the text of the statement. */
  statement: RegExp
  /** Fits its parameters, read as text. */
  parameters?: RegExp
  side: 'before' | 'after'
}

/** Statements that the proxy answers itself, with an error; the server never sees them. */
export interface Refusal extends Omit<Hold, 'side'> {
  sqlState: string
  /** How many of them; default 1. */
  times?: number
}

export interface PostgresProxy {
  /** The given connection string, through the proxy. */
  url: string
  /** Stops the next statement that fits, for ever. Resolves when it is stopped (`after`: committed, its answer kept back). */
  hold (hold: Hold): Promise<void>
  /** Cuts the connection of the next statement that fits. `after`: it is committed, and its client can't know. */
  cut (hold: Hold): Promise<void>
  /** Answers the function that tells how many were refused so far. */
  refuse (refusal: Refusal): () => number
  /** Forgets what nobody has reached. */
  forget (): void
  /** The database is away: all connections are cut and new ones refused. */
  away (): void
  /** Nobody gets an answer any more, and nobody is told. */
  silence (): void
  /** Ends `away` and `silence`; at another address when one is given. */
  back (databaseUrl?: string): void
}

/** A statement that was executed, as its client sent it. Parameters in text form are strings, in binary form buffers. */
export interface SentStatement {
  text: string
  parameters: Array<string | Buffer | null>
  /** Rows that it changed or answered with. */
  rows: number
}

type Caught = { kind: 'hold' | 'cut', side: Hold['side'], reached: () => void } | { kind: 'refuse', sqlState: string }
type Armed = Omit<Hold, 'side'> & { catch: () => Caught, remaining: number }
type Observe = (statement: SentStatement) => void

/** @param observe is told of every prepared statement that has been executed, in order */
export async function startPostgresProxy (t: Pick<Test, 'teardown'>, databaseUrl: string, observe: Observe = () => {}): Promise<PostgresProxy> {
  let upstream = new URL(databaseUrl)
  let state: 'passing' | 'silent' | 'away' = 'passing'
  const sockets = new Set<Socket>()
  const armed: Armed[] = []
  const server = createServer(client => {
    if (state === 'away') return client.destroy()
    const database = connect(Number(upstream.port || 5432), upstream.hostname)
    for (const socket of [client, database]) {
      sockets.add(socket)
      if (state === 'silent') socket.pause()
      socket.on('error', () => {}).on('close', () => {
        client.destroy()
        database.destroy()
        sockets.delete(socket)
      })
    }
    join(client, database, armed, observe)
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

  const arm = async (kind: 'hold' | 'cut', { side, ...fits }: Hold): Promise<void> => await new Promise(resolve => {
    armed.push({ ...fits, remaining: 1, catch: () => ({ kind, side, reached: resolve }) })
  })
  return {
    url: url.href,
    hold: async hold => await arm('hold', hold),
    cut: async hold => await arm('cut', hold),
    refuse ({ sqlState, times = 1, ...fits }) {
      let refused = 0
      armed.push({ ...fits, remaining: times, catch: () => { refused += 1; return { kind: 'refuse', sqlState } } })
      return () => refused
    },
    forget () { armed.length = 0 },
    away () {
      state = 'away'
      for (const socket of sockets) socket.destroy()
    },
    silence () {
      state = 'silent'
      for (const socket of sockets) socket.pause()
    },
    back (databaseUrl) {
      if (databaseUrl !== undefined) upstream = new URL(databaseUrl)
      state = 'passing'
      for (const socket of sockets) socket.resume()
    }
  }
}

/** Passes bytes both ways until an armed statement comes by. */
function join (client: Socket, database: Socket, armed: Armed[], observe: Observe): void {
  const statements = new Map<string, string>()
  let bound: Omit<SentStatement, 'rows'> | undefined
  let caught: Caught | undefined
  let isWhole = false

  const look = (type: number, body: Buffer): void => {
    isWhole = type === MESSAGES.sync
    if (type === MESSAGES.parse) {
      const [name = '', text = ''] = cStrings(body, 2)
      statements.set(name, text)
    } else if (type === MESSAGES.bind) {
      const [, name = ''] = cStrings(body, 2)
      const text = statements.get(name) ?? ''
      bound = { text, parameters: parametersOf(body) }
      const index = armed.findIndex(({ statement, parameters }) => statement.test(text) && (parameters?.test(body.toString('utf8')) ?? true))
      const found = armed[index]
      if (found === undefined) return
      caught = found.catch()
      if (--found.remaining === 0) armed.splice(index, 1)
    }
  }
  const stop = (side: Hold['side']): void => {
    if (caught === undefined || caught.kind === 'refuse' || caught.side !== side) return
    if (caught.kind === 'cut') client.destroy()
    caught.reached()
  }
  const frontend = new MessageReader({ hasStartupMessage: true, look })
  const backend = new MessageReader({
    hasStartupMessage: false,
    // The transaction of a single statement has ended when the server is ready for the next one.
    look: (type, body) => {
      if (type === MESSAGES.readyForQuery) stop('after')
      if (type !== MESSAGES.commandComplete || bound === undefined) return
      observe({ ...bound, rows: Number(/\d+$/.exec(cStrings(body, 1)[0] ?? '')?.[0] ?? 0) })
      bound = undefined
    }
  })
  client.on('data', chunk => {
    frontend.read(chunk)
    if (caught?.kind === 'refuse') {
      if (!isWhole) return
      client.write(errorResponse(caught.sqlState))
      caught = undefined
      return
    }
    if (caught?.side === 'before') return stop('before')
    database.write(chunk)
  })
  database.on('data', chunk => {
    backend.read(chunk)
    if (caught === undefined && !client.destroyed) client.write(chunk)
  })
}
