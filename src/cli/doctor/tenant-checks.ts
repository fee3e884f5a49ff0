// The Entra tenant of the environment: whether it takes the broker's credential, what it lets the broker do, and what is the broker's own there.
import { inspectTenant } from '../../entra/tenant-inspection.ts'
import { DirectoryError } from '../../registration/ports.ts'
import type { EntraTenant } from '../../settings/settings.ts'
import { clockFinding, failed, fine, messageOf, warning, type Finding } from './finding.ts'

const NEEDED = 'Application.ReadWrite.OwnedBy'
/** Also good, but more than the broker needs. */
const TOO_MUCH = ['Application.ReadWrite.All', 'Directory.ReadWrite.All']

/** `objectIds`: applications of ours to look at. */
export async function checkTenant (tenant: EntraTenant, objectIds: readonly string[], attemptTimeoutMs: number): Promise<Finding[]> {
  try {
    const found = await inspectTenant({ providerId: 'default', attemptTimeoutMs, ...tenant }, objectIds, AbortSignal.timeout(attemptTimeoutMs * (2 + objectIds.length)))
    return [
      found.tenantId === null || found.tenantId === tenant.tenantId
        ? fine('tenant', 'Entra gives the broker a token, and Graph takes it.')
        : failed('tenant', `The token is of the tenant ${found.tenantId}.`, 'Let AZURE_TENANT_ID be the tenant the broker is to work in.'),
      permissionFinding(found.roles),
      ...ownershipFindings(found.ownership),
      ...(found.clockAheadMs === null ? [] : [clockFinding('tenant', 'Microsoft Graph', found.clockAheadMs)])
    ]
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error
    return [failed('tenant', `${sentence(messageOf(error))}`, adviceFor(error))]
  }
}

function permissionFinding (roles: readonly string[]): Finding {
  const grants = `Grant the application permission ${NEEDED} of Microsoft Graph to the broker's app registration, with admin consent.`
  const excess = roles.filter(role => TOO_MUCH.includes(role))
  if (excess.length > 0) return warning('tenant', `The broker may change applications that are not its own: ${excess.join(', ')}.`, `${NEEDED} is enough: take the others away.`)
  return roles.includes(NEEDED) ? fine('tenant', `It has ${NEEDED}.`) : failed('tenant', `The token does not carry ${NEEDED}.`, grants)
}

function ownershipFindings (ownership: ReadonlyArray<{ objectId: string, owned: 'yes' | 'no' | 'gone' | 'unknown' }>): Finding[] {
  if (ownership.length === 0) return []
  const of = (owned: 'no' | 'gone' | 'unknown') => ownership.filter(each => each.owned === owned).map(({ objectId }) => objectId)
  const findings = [
    ...(of('no').length > 0
      ? [failed('tenant', `The broker does not own applications that it made: ${of('no').join(', ')}.`,
          'Make the broker\'s service principal an owner again, or it can neither change nor delete them.')]
      : []),
    ...(of('gone').length > 0
      ? [warning('tenant', `Applications are no longer in Entra: ${of('gone').join(', ')}.`, 'Somebody deleted them there; restore them in the portal or delete their registrations.')]
      : []),
    ...(of('unknown').length > 0
      ? [warning('tenant', 'Graph does not tell who owns the newest applications.', 'Nothing, if creating and deleting works: reading owners may need more rights than the broker has.')]
      : [])
  ]
  return findings.length > 0 ? findings : [fine('tenant', `It owns the newest ${ownership.length === 1 ? 'application' : `${ownership.length} applications`} it made.`)]
}

function adviceFor ({ fault }: DirectoryError): string {
  switch (fault) {
    case 'unauthenticated': return 'Check AZURE_TENANT_ID, AZURE_CLIENT_ID and the credential: expired, of another app, or the id of the secret instead of its value.'
    case 'denied': return `Grant the application permission ${NEEDED} of Microsoft Graph to the broker's app registration, with admin consent.`
    case 'throttled': return 'Wait and try again: the tenant throttles.'
    default: return 'Check the network, a proxy between the broker and Entra, AZURE_AUTHORITY_HOST and GRAPH_BASE_URL.'
  }
}

function sentence (text: string): string {
  const first = text.charAt(0).toUpperCase()
  return `${first}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}
