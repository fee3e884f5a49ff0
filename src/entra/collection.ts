// A Graph collection, item by item.
import type { GraphClient } from './graph-client.ts'
import { member } from './json.ts'

/** Every item, page by page; a continuation that leaves Graph's address is not followed. `name` is the call's, for messages and metrics. */
export async function * itemsOf (graph: GraphClient, name: string, first: string, signal: AbortSignal): AsyncGenerator {
  let path: string | null = first
  while (path !== null) {
    const answer = await graph.call({ name, method: 'GET', path }, signal)
    const items = member(answer.body, 'value')
    if (!Array.isArray(items)) throw answer.unreadable()
    yield * items
    const next = member(answer.body, '@odata.nextLink')
    path = typeof next === 'string' ? graph.pathOf(next) : null
  }
}
