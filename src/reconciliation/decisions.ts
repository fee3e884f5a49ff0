// What operators decide about applications of ours that no row knows: back into the broker's care, or away.
import { AdministrationError } from '../administration/errors.ts'
import type { Operator } from '../administration/operator.ts'
import { secretLabelPrefix } from '../registration/lifecycle.ts'
import type { TaggedDetails } from '../registration/ports.ts'
import { noEntraSettings, pendingCredential, type AuditEntry, type Caller, type Credential, type Surface } from '../registration/registration.ts'
import { attempt, attemptWrite, backgroundDeadline, type Tools } from './attempts.ts'
import { belongingOf, isConfirmed } from './judge.ts'
import type { ReconciliationDesk, RestoredRegistration, StoredFinding } from './port.ts'
import type { ReconciliationSettings } from './settings.ts'

export interface DecisionParts {
  tools: Tools
  desk: ReconciliationDesk
  settings: ReconciliationSettings
}

type Unknown = StoredFinding & { providerId: string }

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const surfaces: Readonly<Record<string, Surface>> = { konnect: 'konnect', service: 'register', initial_access_token: 'register', anonymous: 'register', operator: 'operations' }

/**
 * Makes the row again, under the id that the application carries, with the credentials that Entra has. Nothing changes in Entra.
 * `ownerId`: the caller whose client it is; null: the operator. Resolves to the registration's id.
 *
 * @throws AdministrationError, DirectoryError
 */
export async function adopt (parts: DecisionParts, clientId: string, ownerId: string | null, caller: Caller, by: Operator): Promise<string> {
  const { tools, desk } = parts
  const finding = await unknownAt(desk, clientId, caller)
  const owner = await desk.callerOf(ownerId ?? caller.id, finding.providerId)
  if (owner === null) throw new AdministrationError('There is no such caller at this provider.', 'invalid', 'caller_id')
  const details = await seenOf(tools, finding)
  if (details === null) throw new AdministrationError('The application is not in Entra any more.', 'conflict')
  const entry = restored(tools, finding, details, { id: owner.id, surface: surfaces[owner.kind] ?? 'operations' })
  const isMade = await desk.restore(entry, audit(tools, by, 'reconciliation.adopted', finding, entry.id))
  if (!isMade) throw new AdministrationError('There is a registration of this application by now.', 'conflict')
  return entry.id
}

/** Deletes it in Entra, for good. @throws AdministrationError, DirectoryError */
export async function purge (parts: DecisionParts, clientId: string, caller: Caller, by: Operator): Promise<void> {
  const { tools, desk, settings } = parts
  const finding = await unknownAt(desk, clientId, caller)
  const { providerId, objectId } = finding
  if (await desk.isOnHold(providerId)) {
    throw new AdministrationError('The provider is on hold, as after a restore: nothing is removed until the hold is released.', 'conflict')
  }
  if (!isConfirmed(finding, tools.ports.clock.now(), settings)) throw new AdministrationError('It was seen once only. Wait for the next run.', 'conflict')
  const directory = tools.ports.directories.of(providerId)
  // One that was deleted by hand meanwhile is still purged.
  await seenOf(tools, finding)
  if (!await desk.take(providerId, finding.clientId, audit(tools, by, 'reconciliation.purging', finding))) {
    throw new AdministrationError('Somebody else has decided about it.', 'conflict')
  }
  const deadline = backgroundDeadline(tools)
  await attemptWrite(tools, providerId, deadline, async signal => await directory.removeApplication(objectId, signal))
  await attempt(tools, providerId, deadline, async signal => await directory.purgeApplication(finding, null, signal))
  await desk.noteDone(audit(tools, by, 'reconciliation.purged', finding))
}

async function unknownAt (desk: ReconciliationDesk, clientId: string, { providerId }: Caller): Promise<Unknown> {
  const finding = await desk.findUnknown(clientId.toLowerCase(), providerId)
  if (finding !== null) return finding
  throw new AdministrationError('No run has found an application of this installation with this appId and no registration. Those of other installations, and young ones, are not for the broker to judge.', 'unknown')
}

/** As it is now; null: it is gone. @throws AdministrationError for one that is not ours (any more) */
async function seenOf (tools: Tools, { providerId, clientId, registrationId, objectId }: Unknown): Promise<TaggedDetails | null> {
  const directory = tools.ports.directories.of(providerId)
  const details = await attempt(tools, providerId, backgroundDeadline(tools), async signal => await directory.readTagged(clientId, signal))
  if (details === null) return null
  const belonging = belongingOf(details, tools.ports.catalogue.installationId())
  if ('registrationId' in belonging && belonging.registrationId === registrationId && details.objectId === objectId) return details
  throw new AdministrationError('The application does not carry this installation\'s tags: the broker leaves it alone.', 'conflict')
}

function restored (
  { ports: { catalogue } }: Tools, { providerId, registrationId }: Unknown, details: TaggedDetails, owner: { id: string, surface: Surface }
): RestoredRegistration {
  const strategy = catalogue.defaultStrategy(providerId)
  const { objectId, clientId, displayName, description, tags, redirectUris, principal, createdAt } = details
  const credentials = credentialsOf(registrationId, details)
  const hasSecret = credentials.length > 0 || owner.surface === 'konnect'
  return {
    id: registrationId,
    providerId,
    strategyId: strategy.id,
    callerId: owner.id,
    surface: owner.surface,
    objectId,
    clientId,
    principalId: principal?.principalId ?? null,
    metadata: {
      clientName: displayName,
      description,
      redirectUris: [...redirectUris.web, ...redirectUris.publicClient, ...redirectUris.spa],
      grantTypes: hasSecret ? ['client_credentials'] : ['authorization_code'],
      responseTypes: [],
      scopes: [],
      tokenEndpointAuthMethod: hasSecret ? 'client_secret_basic' : 'none',
      applicationType: null,
      platform: null,
      jwks: null,
      federatedIdentities: [],
      members: {}
    },
    projection: {
      displayName, description, tags, accessTokenVersion: strategy.tokenVersion, redirectUris, ...noEntraSettings, enabled: principal?.enabled ?? true
    },
    credentials,
    createdAt
  }
}

/** Passwords of ours as credentials: known again, they are no strays. */
function credentialsOf (registrationId: string, { secrets, passwords }: TaggedDetails): Credential[] {
  const prefix = secretLabelPrefix(registrationId)
  const startOf = new Map(passwords.map(({ keyId, startsAt }) => [keyId, startsAt]))
  return secrets.flatMap(({ keyId, label, hint, expiresAt }) => {
    const id = label?.startsWith(prefix) === true ? label.slice(prefix.length) : ''
    if (!UUID.test(id)) return []
    return [{ ...pendingCredential(id, startOf.get(keyId) ?? new Date()), state: 'active' as const, keyId, hint, expiresAt }]
  })
}

function audit ({ ports: { clock } }: Tools, by: Operator, action: string, finding: Unknown, registrationId: string | null = null): AuditEntry {
  const { providerId, clientId, objectId } = finding
  const detail = { client_id: clientId, object_id: objectId }
  return { id: clock.uuid(), at: clock.now(), ...by, action, outcome: 'succeeded', registrationId, providerId, detail }
}
