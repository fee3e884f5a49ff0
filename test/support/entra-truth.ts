// What of the broker's is in Entra, read from the simulator itself.
import type { Simulator } from '../../src/simulator/simulator.ts'

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

/** What of ours is deleted but can be restored, applications and principals. */
export function ourDeletedObjects (simulator: Simulator): EntraApplication[] {
  return (simulator.control.state().deletedItems as EntraApplication[]).filter(isOurs)
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
