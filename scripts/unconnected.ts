// Stands for use cases that nobody calls: for documents drawn from routes, and servers of which only a part is tried.
import type { Idempotency } from '../src/http/plugins/idempotency.ts'
import type { IdempotentRequests } from '../src/idempotency/idempotent-requests.ts'

/** Any member is there, at any depth; calling one throws `failure`. What is `connected` is itself. */
export function unconnected<Port extends object> (failure: () => Error = () => new Error('Nothing is connected'), connected: Partial<Port> = {}): Port {
  const target = () => {}
  return new Proxy(target, {
    get: (_target, member) => Reflect.get(connected, member) ?? unconnected(failure),
    apply: () => { throw failure() }
  }) as unknown as Port
}

/** For servers that nobody sends an idempotency key. */
export const unconnectedIdempotency: Idempotency = { requests: unconnected<IdempotentRequests>(), requestDeadlineMs: 8_000 }
