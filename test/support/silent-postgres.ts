// A database that has gone silent: it takes connections, perhaps serves them for a while, and then answers nothing any more.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface SilentPostgres {
  url: string
  /** Connections that are open now. */
  connections: () => number
  /** Connections that were ever opened. */
  opened: () => number
  /** From now on all connections, those that are open and those that come, are silent. */
  silence: () => void
  /** Whether a connection has been given no answer to what it has sent. */
  isSilent: () => boolean
}

/**
 * In front of the given database. What clients send is passed on until it contains `until`, or until `silence()`.
 *
 * @param options.until default: nothing is passed on at all
 */
export async function startSilentPostgres (
  t: Pick<Test, 'teardown'>, databaseUrl: string, options: { until?: string } = {}
): Promise<SilentPostgres> {
  const upstream = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const clients = new Set<Socket>()
  let opened = 0
  let ignored = false
  let allSilent = options.until === undefined
  const server = createServer(client => {
    opened += 1
    clients.add(client)
    const database = allSilent ? null : connect(Number(upstream.port || 5432), upstream.hostname)
    for (const socket of [client, ...(database === null ? [] : [database])]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => {
        client.destroy()
        database?.destroy()
        sockets.delete(socket)
        clients.delete(socket)
      })
    }
    let silent = false
    client.on('data', chunk => {
      silent ||= allSilent || chunk.includes(options.until ?? '')
      if (silent) ignored = true
      else database?.write(chunk)
    })
    database?.on('data', chunk => { if (!silent && !allSilent) client.write(chunk) })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: url.href, connections: () => clients.size, opened: () => opened, silence: () => { allSilent = true }, isSilent: () => ignored }
}
