// Federated identity credentials of an application in Graph: made equal to what is wanted, without touching those of others.
import type { FederatedIdentityCredential } from '@microsoft/microsoft-graph-types'
import { createHash } from 'node:crypto'
import { DirectoryError } from '../registration/ports.ts'
import type { FederatedIdentity } from '../registration/registration.ts'
import { orNull } from './absence.ts'
import { itemsOf } from './collection.ts'
import type { GraphClient } from './graph-client.ts'
import { member } from './json.ts'
import { alternateKey, guid } from './odata.ts'

/** Only what bears such a name is ours to remove. */
const ownName = /^dcr-[0-9a-f]{32}$/

interface Found extends Record<keyof FederatedIdentity, unknown> {
  id: string
  name: string
}

/**
 * Removes what is ours and no longer wanted, then adds what is missing, one after the other: Entra takes no concurrent changes of them.
 * Removal first, since an application can trust an issuer and subject only once, and holds 20 at most.
 * Throws `rejected` when somebody else's credential, or another wanted one, trusts the same issuer and subject for another audience.
 */
export async function syncFederatedIdentities (
  graph: GraphClient, id: string, wanted: readonly FederatedIdentity[], signal: AbortSignal
): Promise<void> {
  const path = `/applications/${guid(id)}/federatedIdentityCredentials`
  const wantedByName = new Map(wanted.map(identity => [nameOf(identity), identity]))
  const found: Found[] = []
  for await (const item of itemsOf(graph, 'list federated identities', path, signal)) found.push(readFound(item))
  for (const { id, name } of found) {
    if (ownName.test(name) && !wantedByName.has(name)) await remove(graph, `${path}/${guid(id)}`, signal)
  }
  const foreign = found.filter(({ name }) => !ownName.test(name))
  for (const [name, identity] of wantedByName) {
    const isThere = found.some(one => (one.name === name || !ownName.test(one.name)) && isSameTrust(one, identity) && one.audience === identity.audience)
    if (!isThere) await add(graph, `${path}${alternateKey('name', name)}`, identity, [...foreign, ...wanted], signal)
  }
}

/** The same identity has the same name, so that adding it twice makes one. */
function nameOf ({ issuer, subject, audience }: FederatedIdentity): string {
  return `dcr-${createHash('sha256').update(`${issuer}\n${subject}\n${audience}`).digest('hex').slice(0, 32)}`
}

async function add (
  graph: GraphClient, path: string, identity: FederatedIdentity, holders: ReadonlyArray<Found | FederatedIdentity>, signal: AbortSignal
): Promise<void> {
  const { issuer, subject, audience } = identity
  const body: FederatedIdentityCredential = { issuer, subject, audiences: [audience] }
  try {
    await graph.call({ name: 'upsert federated identity', method: 'PATCH', path, body, headers: { prefer: 'create-if-missing' } }, signal)
  } catch (error) {
    const reason = error instanceof DirectoryError ? error.diagnostics['reason'] : undefined
    if (reason === 'federated_identity_exists') return
    // Without a holder that could be seen, the one that was just removed still stands in the way: that passes.
    if (reason !== 'trust_taken' || !holders.some(holder => isSameTrust(holder, identity) && holder.audience !== audience)) throw error
    throw new DirectoryError('rejected', 'another federated identity credential of the application trusts the same issuer and subject', {
      cause: error, diagnostics: { reason: 'trust_taken' }
    })
  }
}

async function remove (graph: GraphClient, path: string, signal: AbortSignal): Promise<void> {
  await orNull(async () => await graph.call({ name: 'delete federated identity', method: 'DELETE', path }, signal))
}

function isSameTrust (one: { issuer: unknown, subject: unknown }, other: FederatedIdentity): boolean {
  return one.issuer === other.issuer && one.subject === other.subject
}

/** Somebody else's credential may lack any of it: a flexible one has an expression in place of a subject. */
function readFound (item: unknown): Found {
  const audiences = member(item, 'audiences')
  return {
    id: String(member(item, 'id')),
    name: String(member(item, 'name')),
    issuer: member(item, 'issuer'),
    subject: member(item, 'subject'),
    audience: Array.isArray(audiences) && audiences.length === 1 ? audiences[0] : null
  }
}
