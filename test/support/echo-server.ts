// An API that tells what has reached it.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface Echo {
  method: string
  url: string
  /** As they came: name in lower case and value, one pair for each line. */
  headers: Array<[name: string, value: string]>
  bodyBytes: number
}

export interface EchoServer {
  /** `127.0.0.1:<port>`. */
  address: string
  /** How many requests have come. */
  count (): number
}

/** Answers 200 with an `Echo`; a path that ends in a number of three digits with that status. */
export async function startEchoServer (t: Pick<Test, 'teardown'>): Promise<EchoServer> {
  let requests = 0
  const server = createServer((request, response) => {
    requests += 1
    let bodyBytes = 0
    request.on('data', (chunk: Buffer) => { bodyBytes += chunk.length })
    request.on('end', () => {
      const { method = '', url = '', rawHeaders } = request
      const headers = rawHeaders.flatMap((name, index) => index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] ?? ''] as [string, string]] : [])
      const echo: Echo = { method, url, headers, bodyBytes }
      response.writeHead(Number(/\/(\d{3})$/.exec(url)?.[1] ?? 200), { 'content-type': 'application/json', 'x-api': 'echo' }).end(JSON.stringify(echo))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, count: () => requests }
}

/** @throws Error when the answer is not of the server, or not 200 */
export function echoOf ({ status, body }: { status: number, body: string }): Echo {
  if (status !== 200) throw new Error(`Nothing was echoed: ${status} ${body}`)
  return JSON.parse(body) as Echo
}

/** All under the name (in lower case). */
export function valuesOf (headers: Echo['headers'], name: string): string[] {
  return headers.filter(([other]) => other === name).map(([, value]) => value)
}
