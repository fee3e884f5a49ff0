// Creates over the Konnect bridge, as Konnect sends them. Every body has a name of its own: the broker would take a second
// one that is alike for the repeat of an unanswered request.
import { randomUUID } from 'node:crypto'
import { Pool } from 'undici'
import { KONNECT_KEY } from './broker.ts'
import type { Send } from './load.ts'

export interface Requests {
  send: Send
  close (): Promise<void>
}

/** @param connections as many as requests are under way at once: none waits for another's connection */
export function createRequests (url: string, connections: number): Requests {
  const pool = new Pool(url, { connections, pipelining: 1 })
  const run = randomUUID().slice(0, 8)
  let sent = 0
  const headers = { 'x-api-key': KONNECT_KEY, 'content-type': 'application/json' }
  return {
    async send () {
      const body = JSON.stringify({
        client_name: `Benchmark ${run} ${++sent}`,
        application_description: 'Made by the benchmark',
        redirect_uris: ['https://app.example.com/callback'],
        grant_types: ['client_credentials', 'authorization_code'],
        scopes: ['openid'],
        token_endpoint_auth_method: 'client_secret_post',
        portal_id: 'b1b9a4e5-8f8f-4f11-9d3b-111111111111',
        organization_id: 'b1b9a4e5-8f8f-4f11-9d3b-222222222222',
        developer_id: 'b1b9a4e5-8f8f-4f11-9d3b-333333333333',
        dcr_provider_id: 'b1b9a4e5-8f8f-4f11-9d3b-555555555555'
      })
      const answer = await pool.request({ method: 'POST', path: '/konnect', headers, body })
      const text = await answer.body.text()
      if (answer.statusCode !== 201) throw new Error(`A create was answered with ${answer.statusCode}: ${text}`)
    },
    close: () => pool.close()
  }
}
