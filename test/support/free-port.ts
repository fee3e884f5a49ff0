// A port for a listener that has to know it before it listens. It lies below those that the kernel gives to whoever asks for any: between
// the look and the listening, which is a process's start away, no other test gets it by chance.
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Linux begins at 32768 (ip_local_port_range), others later. */
const [FIRST, LAST] = [20_000, 32_000]

/** On 127.0.0.1. */
export async function findFreePort (): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST)
    if (await isFree(port)) return port
  }
}

async function isFree (port: number): Promise<boolean> {
  const server = createServer()
  const listens = once(server, 'listening').then(() => true, () => false)
  server.listen(port, '127.0.0.1')
  if (!await listens) return false
  await new Promise(resolve => server.close(resolve))
  return true
}
