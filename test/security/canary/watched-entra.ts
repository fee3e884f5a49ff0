// A wire to the simulator that writes down every secret that passes: the broker's credential, its assertions and tokens, and what Graph hands out.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Canaries } from './canaries.ts'

const secretMembers = /"(access_token|secretText)":"([^"]+)"/g
const secretParameters = ['client_secret', 'client_assertion']

/** @param entraUrl where the simulator is @returns where the broker finds it */
export async function watchEntra (t: Pick<Test, 'teardown'>, entraUrl: string, canaries: Canaries): Promise<string> {
  const server = createServer(async (request, answer) => {
    const body = await textOf(request)
    const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
    if (token !== undefined) canaries.add('token of Graph', token)
    const form = new URLSearchParams(body)
    for (const name of secretParameters) canaries.add(`sent ${name}`, form.get(name))
    const { host: _, connection: _connection, 'content-length': _length, ...headers } = request.headers as Record<string, string>
    try {
      const { method = 'GET', url = '' } = request
      const response = await fetch(`${entraUrl}${url}`, { method, headers, redirect: 'manual', ...(body === '' ? {} : { body }) })
      const text = await response.text()
      for (const [, name = '', secret = ''] of text.matchAll(secretMembers)) canaries.add(`given ${name}`, secret)
      for (const name of ['content-type', 'retry-after', 'request-id', 'client-request-id', 'location']) {
        const value = response.headers.get(name)
        if (value !== null) answer.setHeader(name, value)
      }
      answer.writeHead(response.status).end(text)
    } catch {
      // The simulator has cut the connection: so does the wire.
      request.socket.destroy()
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function textOf (request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
