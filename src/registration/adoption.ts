// Adoption: an existing Entra application that Konnect imports (`dcr_client_id`) comes into the broker's care when it is first named.
// Off unless an operator has permitted the appId and its provider allows it: without both nobody asks Graph anything. What the broker
// did not make it neither changes nor deletes; of its passwords it knows those it adds.
import type { Call, ClientName } from './access.ts'
import type { AdoptedRegistration } from './adoption-port.ts'
import type { Core } from './core.ts'
import type { Deadline } from './deadline.ts'
import { DirectoryError, type ForeignApplication } from './ports.ts'
import { noEntraSettings, type AuditEntry, type ClientMetadata, type DirectoryApplication, type Registration } from './registration.ts'

/** What was not found, or refused, is not looked for again for so long. */
const REMEMBERED_MS = 60_000
const MAX_REMEMBERED = 10_000

export type AdoptionRefusal = 'not_found' | 'other_installation' | 'has_permissions' | 'permissions_unknown'

/** Until when on the monotonic clock an application is not looked for, by provider and appId. */
export type RefusedAdoptions = Map<string, number>

/** The adopted client; null: not one that may be adopted. @throws DirectoryError when Entra does not answer */
export async function adoptClient (core: Core, name: ClientName, call: Call, deadline: Deadline): Promise<Registration | null> {
  const { ports: { store, clock }, refusedAdoptions } = core
  const { kind, providerId } = call.caller
  if (kind !== 'konnect' || providerId === null || !('clientId' in name)) return null
  const { clientId } = name
  if (!await store.mayAdopt(providerId, clientId)) return null
  const key = `${providerId} ${clientId}`
  if ((refusedAdoptions.get(key) ?? 0) > clock.monotonicMs()) return null
  const seen = await lookAt(core, providerId, clientId, deadline)
  if (typeof seen === 'string') {
    remember(refusedAdoptions, key, clock.monotonicMs())
    await store.noteRefusal(auditEntry(core, call, 'adoption.refused', 'failed', null, { client_id: clientId, reason: seen }))
    return null
  }
  const entry = adopted(core, providerId, seen, call)
  await store.adopt(entry, [auditEntry(core, call, 'registration.adopted', 'succeeded', entry.id, { client_id: clientId, object_id: entry.objectId })])
  // Whoever was faster, it is the same application.
  return await store.findByClientId(providerId, clientId)
}

async function lookAt (core: Core, providerId: string, clientId: string, deadline: Deadline): Promise<ForeignApplication | AdoptionRefusal> {
  const { directories, log } = core.ports
  const directory = directories.of(providerId)
  const seen = await attempt(core, deadline, signal => directory.findForeignApplication(clientId, signal))
  if (seen === null) return 'not_found'
  if (isOfAnother(seen.tags, core.ports.catalogue.installationId())) return 'other_installation'
  try {
    const { principalId } = seen
    if (principalId === null || !await attempt(core, deadline, signal => directory.holdsPermissions(principalId, signal))) return seen
    return 'has_permissions'
  } catch (error) {
    // What can't be seen may be there.
    if (!(error instanceof DirectoryError) || error.fault !== 'denied') throw error
    log.warn({ providerId, clientId, ...error.diagnostics }, 'An application is not adopted: the broker can\'t see what it has been granted. That needs Directory.Read.All')
    return 'permissions_unknown'
  }
}

/** One look. Its caller repeats the request: nothing has been changed. */
async function attempt<T> ({ settings }: Core, deadline: Deadline, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), Math.min(settings.attemptTimeoutMs, deadline.remainingMs()))
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
  }
}

function isOfAnother (tags: readonly string[], installationId: string): boolean {
  return tags.some(tag => tag === 'dcr-broker' || tag.startsWith('dcr-')) && !tags.includes(`dcr-inst:${installationId}`)
}

function remember (refused: RefusedAdoptions, key: string, nowMs: number): void {
  refused.delete(key)
  refused.set(key, nowMs + REMEMBERED_MS)
  if (refused.size > MAX_REMEMBERED) refused.delete(refused.keys().next().value as string)
}

function adopted ({ ports: { catalogue, clock } }: Core, providerId: string, seen: ForeignApplication, { caller }: Call): AdoptedRegistration {
  const strategy = catalogue.defaultStrategy(providerId)
  const { objectId, clientId, principalId, displayName, tags } = seen
  const metadata: ClientMetadata = {
    clientName: displayName,
    description: null,
    redirectUris: [],
    grantTypes: ['client_credentials'],
    responseTypes: [],
    scopes: [],
    tokenEndpointAuthMethod: 'client_secret_basic',
    applicationType: null,
    platform: null,
    jwks: null,
    federatedIdentities: [],
    members: {}
  }
  const projection: DirectoryApplication = {
    displayName,
    description: null,
    tags,
    accessTokenVersion: strategy.tokenVersion,
    redirectUris: { web: [], publicClient: [], spa: [] },
    ...noEntraSettings,
    enabled: true
  }
  return {
    id: clock.uuid(), providerId, strategyId: strategy.id, callerId: caller.id, objectId, clientId, principalId, metadata, projection, adoptedAt: clock.now()
  }
}

function auditEntry (
  { ports: { clock } }: Core, call: Call, action: string, outcome: AuditEntry['outcome'], registrationId: string | null, detail: AuditEntry['detail']
): AuditEntry {
  const { caller: { id: actor, providerId }, requestId, sourceAddress = null } = call
  return { id: clock.uuid(), at: clock.now(), actor, action, outcome, registrationId, providerId, requestId, sourceAddress, detail }
}
