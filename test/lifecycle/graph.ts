// Graph as somebody with a client secret calls it, beside the broker.
import type { Simulator } from '../../src/simulator/simulator.ts'
import { request, type Answer } from '../support/broker.ts'

export type Graph = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>

export async function graphAs (simulator: Simulator, client: { clientId: string, clientSecret: string }): Promise<Graph> {
  const response = await fetch(`${simulator.url}/${simulator.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client.clientId,
      client_secret: client.clientSecret,
      scope: 'https://graph.microsoft.com/.default'
    })
  })
  const { access_token: token } = await response.json() as { access_token: string }
  return async (method, path, body, headers = {}) =>
    await request(`${simulator.url}/v1.0${path}`, method, body, { authorization: `Bearer ${token}`, ...headers })
}
