// A loopback server that answers as a test tells it to, for what a well-behaved simulator would not do. It plays login and Graph at once.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createEntraDirectories, type EntraDirectories, type EntraProviderSettings } from '../../src/entra/entra-directories.ts'
import type { GraphObservation } from '../../src/entra/graph-client.ts'
import { DirectoryError } from '../../src/registration/ports.ts'
import type { DirectoryApplication } from '../../src/registration/registration.ts'
import { someProjection } from '../support/records.ts'

export const tenantId = '11111111-1111-4111-8111-111111111111'
export const objectId = '22222222-2222-4222-8222-222222222222'
export const clientId = '33333333-3333-4333-8333-333333333333'
export const keyId = '44444444-4444-4444-8444-444444444444'
export const brokerSecret = 'broker~secret+with/odd=characters'

export interface Received {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export type Script = (request: Received, answer: ServerResponse) => void

/** JSON with a status and, if need be, headers. */
export function reply (answer: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  answer.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** The token endpoint on a good day. Tokens are numbered. */
export function tokenScript (lifeSeconds = 3600, refreshSeconds?: number): Script {
  let issued = 0
  return (_request, answer) => reply(answer, 200, {
    token_type: 'Bearer',
    expires_in: lifeSeconds,
    ...(refreshSeconds !== undefined && { refresh_in: refreshSeconds }),
    access_token: `token-${++issued}`
  })
}

export interface ScriptedEntra {
  url: string
  /** Token requests and Graph requests, in order of arrival. */
  tokenRequests: Received[]
  graphRequests: Received[]
  directories: EntraDirectories
  observations: Array<GraphObservation & { providerId: string }>
}

export async function startScriptedEntra (
  teardown: (close: () => Promise<void>) => void,
  scripts: { token?: Script, graph?: Script },
  overrides: Partial<EntraProviderSettings> = {}
): Promise<ScriptedEntra> {
  const tokenRequests: Received[] = []
  const graphRequests: Received[] = []
  const observations: ScriptedEntra['observations'] = []
  const token = scripts.token ?? tokenScript()
  const graph: Script = scripts.graph ?? ((_request, answer) => reply(answer, 200, {}))
  const server = createServer((request, answer) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request
      const received = { method, path, headers, body: Buffer.concat(chunks).toString() }
      const isToken = path.includes('/oauth2/v2.0/token')
      const requests = isToken ? tokenRequests : graphRequests
      requests.push(received)
      const script = isToken ? token : graph
      script(received, answer)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const directories = createEntraDirectories([{
    providerId: 'default',
    tenantId,
    clientId: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb',
    credential: { kind: 'secret', secret: brokerSecret },
    authorityHost: url,
    graphBaseUrl: `${url}/v1.0`,
    attemptTimeoutMs: 3000,
    ...overrides
  }], { observe: observation => observations.push(observation) })
  teardown(async () => {
    await directories.close()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return { url, tokenRequests, graphRequests, directories, observations }
}

export function wantedApplication (registrationId: string, change: Partial<DirectoryApplication> = {}): DirectoryApplication {
  return someProjection({
    displayName: 'Orders',
    tags: ['dcr-broker', 'dcr-inst:test', `dcr-reg:${registrationId}`],
    accessTokenVersion: 2,
    redirectUris: { web: ['https://orders.example/callback'], publicClient: [], spa: [] },
    ...change
  })
}

export const patience = (ms = 5000): AbortSignal => AbortSignal.timeout(ms)

/** The DirectoryError a call ends with; anything else is a fault of the adapter. */
export async function faultOf (promise: Promise<unknown>): Promise<DirectoryError> {
  const error = await promise.then(() => undefined, (error: unknown) => error)
  if (error instanceof DirectoryError) return error
  throw new Error('no DirectoryError', { cause: error })
}
