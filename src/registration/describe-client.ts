// Use case: what people note about a registration. Entra knows nothing of it.
import { findClient, takeHold, unknownClient, workDeadline, type Call } from './access.ts'
import type { Core } from './core.ts'
import { RegistrationError } from './errors.ts'
import { stopOnError } from './saga.ts'

const MAX_LABELS = 50

/** What is left out stays as it is. */
export interface Description {
  /** Null takes a label away. */
  labels?: Readonly<Record<string, string | null>> | undefined
  owner?: string | null | undefined
}

/** Changed under the lease, so that whoever is at work on the client does not write over it. @throws RegistrationError unknown_client, invalid_request, busy */
export async function describeClient (core: Core, registrationId: string, { labels, owner }: Description, call: Call): Promise<void> {
  const found = await findClient(core, { registrationId }, call)
  if (found === null) throw unknownClient()
  const operation = await takeHold(core, registrationId, call, workDeadline(core, call))
  const { registration } = operation
  const changed = labelsAfter(registration.labels, labels ?? {})
  if (Object.keys(changed).length > MAX_LABELS) {
    await operation.release()
    throw new RegistrationError('invalid_request', `A registration has at most ${MAX_LABELS} labels.`)
  }
  registration.labels = changed
  if (owner !== undefined) registration.owner = owner
  operation.note('registration.described', 'succeeded', {
    ...(labels !== undefined && { labels: Object.keys(labels).join(',') }), ...(owner !== undefined && { owner })
  })
  await stopOnError(operation, () => operation.release())
}

function labelsAfter (before: Readonly<Record<string, string>>, changes: Readonly<Record<string, string | null>>): Record<string, string> {
  const merged = new Map<string, string | null>([...Object.entries(before), ...Object.entries(changes)])
  return Object.fromEntries([...merged].filter((entry): entry is [string, string] => entry[1] !== null))
}
