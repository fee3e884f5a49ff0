// A port that nothing listens on at this moment.
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** Another program may take it before the caller binds it: then try again. */
export async function findFreePort (host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}
