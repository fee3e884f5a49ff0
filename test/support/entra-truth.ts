// What the promises say about Entra and the database together, read from the simulator and the rows themselves.
import type { Simulator } from '../../src/simulator/simulator.ts'
import type { TestDatabase } from './postgres.ts'

export interface EntraApplication {
  id: string
  appId: string
  displayName: string
  tags: string[]
  passwordCredentials: Array<{ keyId: string, displayName: string | null }>
}

const REGISTRATION_TAG = 'dcr-reg:'

/** The live applications that carry the broker's tag. */
export function ourApplications (simulator: Simulator): EntraApplication[] {
  return (simulator.control.state().applications as EntraApplication[]).filter(isOurs)
}

/** Everything of ours in Entra, soft-deleted objects and principals included. */
export function ourObjectCount (simulator: Simulator): number {
  const { applications, servicePrincipals, deletedItems } = simulator.control.state()
  return ([...applications, ...servicePrincipals, ...deletedItems] as EntraApplication[]).filter(isOurs).length
}

export function registrationIdOf (application: EntraApplication): string {
  const tag = application.tags.find(text => text.startsWith(REGISTRATION_TAG))
  if (tag === undefined) throw new Error(`The application ${application.id} has no tag of its registration`)
  return tag.slice(REGISTRATION_TAG.length)
}

/** The passwords of an application that carry the broker's label. */
export function ourPasswords (application: EntraApplication): EntraApplication['passwordCredentials'] {
  return application.passwordCredentials.filter(password => password.displayName?.startsWith('dcr:') === true)
}

/**
 * Sentences about what must never be: a registration with two live applications, an application whose row is not there or not
 * living, or one with another number of our passwords than one.
 */
export async function violations (simulator: Simulator, database: TestDatabase): Promise<string[]> {
  const { rows } = await database.query<{ id: string, state: string }>('SELECT id, state FROM registration')
  const states = new Map(rows.map(row => [row.id, row.state]))
  const seen = new Set<string>()
  const found: string[] = []
  for (const application of ourApplications(simulator)) {
    const id = registrationIdOf(application)
    if (seen.has(id)) found.push(`two live applications of ${id}`)
    seen.add(id)
    if (states.get(id) !== 'active') found.push(`an orphan of ${id}, whose row is ${states.get(id) ?? 'not there'}`)
    const { length } = ourPasswords(application)
    if (length !== 1) found.push(`${length} passwords of ours at ${id}`)
  }
  for (const { id, state } of rows) if (state === 'active' && !seen.has(id)) found.push(`no application for the active row ${id}`)
  return found
}

/** Whether the token endpoint gives this client a token for itself. Asked beside the journal's faults only if none is armed for it. */
export async function secretWorks (simulator: Simulator, clientId: string, clientSecret: string): Promise<boolean> {
  const response = await fetch(`${simulator.url}/${simulator.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope: `${clientId}/.default` })
  })
  await response.arrayBuffer()
  return response.ok
}

function isOurs ({ tags }: EntraApplication): boolean {
  return Array.isArray(tags) && tags.includes('dcr-broker')
}
