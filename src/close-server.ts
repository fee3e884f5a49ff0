// Ends a listener: the requests at hand are answered, and no connection that is kept alive is waited for.
import type { FastifyInstance } from 'fastify'

const SWEEP_MS = 50

/** Like `server.close()`, which closes the connections that are idle at that moment, but also those that become idle while it waits. */
export async function closeServer (server: FastifyInstance): Promise<void> {
  // Node leaves a connection whose request was under way at the close open for the whole keep-alive time after the answer.
  const sweep = setInterval(() => server.server.closeIdleConnections(), SWEEP_MS)
  try {
    await server.close()
  } finally {
    clearInterval(sweep)
  }
}
