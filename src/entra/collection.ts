// A Graph collection, item by item.
import type { GraphClient } from './graph-client.ts'
import { member } from './json.ts'

/** Of 100 items or more: no list of ours is so long. */
const longestListPages = 200

/**
 * Every item, page by page. A list that goes on elsewhere, leads to a page it had before, or never ends is unreadable: cut short it would say
 * that something is not there.
 * `name` is the call's, for messages and metrics.
 */
export async function * itemsOf (graph: GraphClient, name: string, first: string, signal: AbortSignal): AsyncGenerator {
  const visited = new Set<string>()
  let path: string | null = first
  while (path !== null) {
    visited.add(path)
    const answer = await graph.call({ name, method: 'GET', path }, signal)
    const items = member(answer.body, 'value')
    if (!Array.isArray(items)) throw answer.unreadable()
    yield * items
    const next = member(answer.body, '@odata.nextLink')
    path = typeof next === 'string' ? graph.pathOf(next) : null
    const isLost = path === null ? next !== undefined : visited.has(path) || visited.size >= longestListPages
    if (isLost) throw answer.unreadable()
  }
}
