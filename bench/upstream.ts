// The stub upstream, from outside: starts its process, sets its latency, reads its counts.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { UpstreamCounts } from './stub-upstream.ts'

export interface Upstream {
  url: string
  /** From now on every answer takes `latencyMs`; returns the counts since the last call. */
  setLatency (latencyMs: number): Promise<UpstreamCounts>
  /** A token with these claims, signed with the key that it publishes. */
  sign (claims: Record<string, unknown>): Promise<string>
  close (): Promise<void>
}

export async function startUpstream (): Promise<Upstream> {
  const child = fork(fileURLToPath(new URL('stub-upstream.ts', import.meta.url)))
  const exited = once(child, 'exit')
  const [{ url }] = await once(child, 'message') as [{ url: string }]
  return {
    url,
    async setLatency (latencyMs) {
      const response = await fetch(`${url}/control`, { method: 'POST', body: JSON.stringify({ latencyMs }) })
      return await response.json() as UpstreamCounts
    },
    async sign (claims) {
      const response = await fetch(`${url}/sign`, { method: 'POST', body: JSON.stringify(claims) })
      return (await response.json() as { token: string }).token
    },
    async close () {
      // A Ctrl-C at the terminal ends it before us.
      if (child.connected) child.disconnect()
      await exited
    }
  }
}
