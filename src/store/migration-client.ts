// A connection for the migrations that nothing can keep waiting: its socket is ours, so it ends when we say so.
import { Socket } from 'node:net'
import pg from 'pg'

const CONNECT_TIMEOUT_MS = 2_000
const GOODBYE_TIMEOUT_MS = 1_000

export interface ClientOptions {
  signal?: AbortSignal | undefined
  /** Default: a query may take as long as it takes. */
  queryTimeoutMs?: number
}

/**
 * Runs `work` over a connection of its own.
 *
 * @throws the signal's reason as soon as it aborts; an Error with code ETIMEDOUT when no connection comes about within two seconds
 */
export async function withClient<T> (
  connectionString: string, { signal, queryTimeoutMs }: ClientOptions, work: (client: pg.Client) => Promise<T>
): Promise<T> {
  signal?.throwIfAborted()
  const socket = new Socket()
  const client = new pg.Client({
    connectionString,
    stream: () => socket,
    ...(queryTimeoutMs !== undefined && { statement_timeout: queryTimeoutMs, query_timeout: queryTimeoutMs })
  })
  client.on('error', () => {}) // the query that is running reports it
  const abort = () => { socket.destroy() }
  signal?.addEventListener('abort', abort, { once: true })
  try {
    await connect(client, socket)
    return await work(client)
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    await sayGoodbye(client, socket) // also gives the lock back
    signal?.removeEventListener('abort', abort)
  }
}

async function connect (client: pg.Client, socket: Socket): Promise<void> {
  const timeout = Object.assign(new Error(`No connection to the database within ${CONNECT_TIMEOUT_MS} ms`), { code: 'ETIMEDOUT' })
  const impatience = setTimeout(() => socket.destroy(timeout), CONNECT_TIMEOUT_MS)
  try {
    await client.connect()
  } finally {
    clearTimeout(impatience)
  }
}

/** PostgreSQL closes the connection in answer; one that doesn't is not waited for. */
async function sayGoodbye (client: pg.Client, socket: Socket): Promise<void> {
  const impatience = setTimeout(() => socket.destroy(), GOODBYE_TIMEOUT_MS)
  try {
    await client.end()
  } finally {
    clearTimeout(impatience)
  }
}
