// Who calls what in the route × caller matrix, and what has to come of it. Expectations come from what each route declares: a route
// that is added is asked like all others. Tell of a new resource only in `targets` and `bodies`: then more is expected of it.
import { randomUUID } from 'node:crypto'
import type { CallerKind } from '../../src/registration/registration.ts'
import type { DeclaredRoute } from '../../src/http/plugins/route-methods.ts'

export interface MatrixCaller {
  name: string
  /** Null: shows nothing that anybody knows. `holder`: of the registration access token of the client of A. `client`: of a token of Entra. */
  kind: CallerKind | 'holder' | 'client' | null
  key: string | null
  /** The provider it is bound to. */
  provider: 'A' | 'B' | null
  scopes: readonly string[]
}

/**
 * `refused`: 401. `forbidden`: 403. `keyless`: 500, of a gateway without a valid key. `foreign`: he may call, and what he names is not his. `passes`: he may call.
 * `unless`: a registrant of another provider than that of the address is nobody there.
 */
export type Expectation = 'refused' | 'forbidden' | 'keyless' | 'foreign' | 'passes'

const kindsOf: Readonly<Record<string, ReadonlyArray<MatrixCaller['kind']>>> = {
  konnect: ['konnect'],
  registrant: ['initial_access_token', 'service'],
  holder: ['holder'],
  operator: ['operator'],
  gateway: ['gateway'],
  client: ['client']
}

/** Of routes that declare a scope alone the listener knows one guard. */
export function guardOf ({ config: { guard, scope } }: DeclaredRoute): string {
  return guard ?? (scope === undefined ? 'none' : 'operator')
}

export function expectationOf (route: DeclaredRoute, caller: MatrixCaller): Expectation {
  const guard = guardOf(route)
  if (guard === 'none') return 'passes'
  // What is no key of a gateway, or one that may not ask, is no fault of the client's: it gets neither 401 nor 403.
  if (guard === 'client' && caller.key !== null && caller.kind !== 'client' && !(caller.kind === 'gateway' && caller.scopes.includes('introspect'))) return 'keyless'
  if (caller.kind === null || !(kindsOf[guard] ?? []).includes(caller.kind)) return 'refused'
  const place = providerOfAddress(route)
  if (place !== null && caller.provider !== place) return 'refused'
  const { scope } = route.config
  if (scope !== undefined && !caller.scopes.includes(scope)) return 'forbidden'
  return caller.provider === 'B' ? 'foreign' : 'passes'
}

/** What registrants and holders ask for without a provider is the default one's; /t/<provider> is asked for B. */
function providerOfAddress (route: DeclaredRoute): 'A' | 'B' | null {
  if (route.url.startsWith('/t/:provider')) return 'B'
  return ['registrant', 'holder'].includes(guardOf(route)) ? 'A' : null
}

/** What of A stands where, by the segment before a parameter. */
export type Targets = Readonly<Record<string, string>>

/** What changes the target, if the caller may. Routes that are not here are sent an empty object. */
const bodies: Readonly<Record<string, object>> = {
  'POST /konnect/:clientId/event-hook': { event_type: 'update_application', application_name: 'taken over' },
  'PATCH /v2/callers/:id': { name: 'taken over' },
  'PATCH /v2/registrations/:id': { labels: { taken: 'over' } }
}

export interface MatrixRequest {
  method: string
  url: string
  payload?: object
  /** Something of A is named, and the request would be a good one of whom it belongs to. */
  isExact: boolean
}

/** @param targets of A; null: everything that is named is something that nobody knows */
export function requestOf ({ method, url }: DeclaredRoute, targets: Targets | null, secondProvider: string): MatrixRequest {
  let [named, unknown] = [0, 0]
  const path = url.replace(/\*$/, '').replaceAll(/([^/]+)\/:([A-Za-z]+)/g, (_match, before: string, name: string) => {
    if (name === 'provider') return `${before}/${secondProvider}`
    const target = targets?.[before]
    if (target === undefined) unknown++
    else named++
    return `${before}/${target ?? randomUUID()}`
  })
  const body = bodies[`${method} ${url}`]
  const takesBody = ['POST', 'PUT', 'PATCH'].includes(method)
  return {
    method,
    url: path,
    ...(takesBody ? { payload: body ?? {} } : {}),
    isExact: named > 0 && unknown === 0 && (body !== undefined || !takesBody)
  }
}
