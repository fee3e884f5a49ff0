// The way of one replica to Graph. It can stop one call of one registration: before Graph has seen it, or when it is carried out and the
// answer is on its way. Replicas have one each, so that it is known whose call stands there.
import { Agent, createServer, request, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Teardowns } from '../faults/program.ts'

export interface CallStop {
  /** Of the registration's client. */
  clientName: string
  call: 'application' | 'principal' | 'password'
  when: 'before' | 'after'
}

export interface Gateway {
  url: string
  leadTo (graphUrl: string): void
  /** Resolves when the call stands still. It stands until its sender is gone. */
  stop (stop: CallStop): Promise<void>
  /** Forgets the stops that nobody has reached. */
  forget (): void
}

const CALLS: Record<CallStop['call'], RegExp> = {
  application: /^PATCH .*\/applications\(uniqueName=/,
  principal: /^PATCH .*\/servicePrincipals\(appId='(?<id>[^']+)'/,
  password: /^POST .*\/applications\/(?<id>[^/]+)\/addPassword$/
}

export async function startGateway (t: Teardowns): Promise<Gateway> {
  const agent = new Agent({ keepAlive: true })
  /** Of applications that were made by this way: their ids, to their clients' names. */
  const names = new Map<string, string>()
  let stops: Array<CallStop & { reached: () => void }> = []
  let graph = ''

  async function serve (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const call = `${incoming.method} ${decodeURIComponent(incoming.url ?? '')}`
    const body = await bytesOf(incoming)
    const name = CALLS.application.test(call) ? nameIn(body) : nameOfObject(call)
    const stop = stops.find(({ clientName, call: wanted }) => clientName === name && CALLS[wanted].test(call))
    stops = stops.filter(other => other !== stop)
    if (stop?.when === 'before') return stop.reached()
    const answer = await send(incoming, body)
    if (CALLS.application.test(call)) learn(name, answer.body)
    if (stop !== undefined) return stop.reached()
    outgoing.writeHead(answer.status, answer.headers).end(answer.body)
  }

  async function send ({ method, url, headers }: IncomingMessage, body: Buffer): Promise<{ status: number, headers: IncomingHttpHeaders, body: Buffer }> {
    const passed = request(new URL(url ?? '', graph), { method, headers, agent }).end(body)
    const [answer] = await once(passed, 'response') as [IncomingMessage]
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: await bytesOf(answer) }
  }

  function nameOfObject (call: string): string | undefined {
    const id = CALLS.principal.exec(call)?.groups?.['id'] ?? CALLS.password.exec(call)?.groups?.['id']
    return id === undefined ? undefined : names.get(id)
  }

  function learn (name: string | undefined, body: Buffer): void {
    if (name === undefined || body.length === 0) return
    const { id, appId } = JSON.parse(body.toString()) as { id?: string, appId?: string }
    for (const known of [id, appId]) if (known !== undefined) names.set(known, name)
  }

  const server = createServer((incoming, outgoing) => { serve(incoming, outgoing).catch(() => outgoing.destroy()) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    agent.destroy()
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo (graphUrl) { graph = graphUrl },
    stop: async stop => await new Promise(resolve => { stops.push({ ...stop, reached: resolve }) }),
    forget () { stops = [] }
  }
}

async function bytesOf (message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function nameIn (body: Buffer): string | undefined {
  return body.length === 0 ? undefined : (JSON.parse(body.toString()) as { displayName?: string }).displayName
}
