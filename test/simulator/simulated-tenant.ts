// A simulator of a test's own, with a clock the test moves, and the calls a client makes to it.
import type { Test } from 'tap'
import { startSimulator } from '../../src/simulator/simulator.ts'
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.ts'

export interface Answer {
  status: number
  headers: Headers
  /** Parsed JSON; null without a body. */
  body: Record<string, unknown>
}

export interface CallOptions {
  body?: unknown
  headers?: Record<string, string>
  /** Another caller than the broker. */
  token?: string
}

export type GraphCall = (method: string, path: string, options?: CallOptions) => Promise<Answer>

export interface SimulatedTenant {
  simulator: Simulator
  /** Calls Graph below /v1.0 as the broker. */
  graph: GraphCall
  /** Creates or updates under a uniqueName. */
  upsert (uniqueName: string, body: object): Promise<Answer>
  /** Posts a form to the v1 or v2 token endpoint of the first tenant. */
  token (endpoint: 'v1' | 'v2', form: Record<string, string>, headers?: Record<string, string>): Promise<Answer>
  /** A Graph token of a client. */
  graphToken (client: { clientId: string, clientSecret: string }): Promise<string>
  /** Moves the simulator's clock. */
  pass (ms: number): void
}

/** The objects of a list answer, or of a collection in one object. */
export const collection = (answer: Answer, member = 'value'): Array<Record<string, unknown>> => {
  const values = answer.body[member]
  if (!Array.isArray(values)) throw new TypeError(`The answer has no collection '${member}'.`)
  return values
}

export const createIfMissing = { prefer: 'create-if-missing' }

export async function simulateTenant (t: Test, options: SimulatorOptions = {}): Promise<SimulatedTenant> {
  let nowMs = Date.parse('2026-03-01T12:00:00Z')
  const simulator = await startSimulator({ now: () => nowMs, ...options })
  t.after(() => simulator.close())

  const send = async (url: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(url, init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) }
  }
  const token: SimulatedTenant['token'] = (endpoint, form, headers = {}) =>
    send(`${simulator.url}/${simulator.tenantId}/oauth2/${endpoint === 'v1' ? '' : 'v2.0/'}token`, {
      method: 'POST', headers, body: new URLSearchParams({ grant_type: 'client_credentials', ...form })
    })
  const graphToken: SimulatedTenant['graphToken'] = async ({ clientId, clientSecret }) => {
    const { body } = await token('v2', { client_id: clientId, client_secret: clientSecret, scope: 'https://graph.microsoft.com/.default' })
    return String(body['access_token'])
  }
  const brokerToken = await graphToken(simulator.broker)
  const graph: GraphCall = (method, path, { body, headers = {}, token = brokerToken } = {}) =>
    send(`${simulator.url}/v1.0${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) })
    })
  return {
    simulator,
    graph,
    token,
    graphToken,
    upsert: (uniqueName, body) => graph('PATCH', `/applications(uniqueName='${uniqueName}')`, { body, headers: createIfMissing }),
    pass: ms => { nowMs += ms }
  }
}

/** An application with its principal and one secret, as the broker makes them. */
export async function registeredClient ({ graph, upsert }: SimulatedTenant, uniqueName = 'dcr-1', body: object = {}) {
  const { body: application } = await upsert(uniqueName, { displayName: 'A client', ...body })
  const [objectId, clientId] = [String(application['id']), String(application['appId'])]
  const { body: principal } = await graph('PATCH', `/servicePrincipals(appId='${clientId}')`, { body: {}, headers: createIfMissing })
  const { body: password } = await graph('POST', `/applications/${objectId}/addPassword`, { body: { passwordCredential: { displayName: 'dcr:1' } } })
  return {
    objectId, clientId, principalId: String(principal['id']), clientSecret: String(password['secretText']), keyId: String(password['keyId'])
  }
}
