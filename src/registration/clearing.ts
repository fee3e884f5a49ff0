// What an update must take away in Entra: members that the broker set before and that the new projection no longer has.
import type { DirectoryApplication, PermissionGrants, ResourceAccess } from './registration.ts'

/** `next`, with an empty value for everything that `before` had set and `next` leaves alone. */
export function clearing (before: DirectoryApplication, next: DirectoryApplication): DirectoryApplication {
  return {
    ...next,
    homePageUrl: next.homePageUrl ?? emptied(before.homePageUrl, ''),
    termsOfServiceUrl: next.termsOfServiceUrl ?? emptied(before.termsOfServiceUrl, ''),
    privacyStatementUrl: next.privacyStatementUrl ?? emptied(before.privacyStatementUrl, ''),
    isFallbackPublicClient: next.isFallbackPublicClient ?? emptied(before.isFallbackPublicClient, false),
    requiredResourceAccess: next.requiredResourceAccess ?? emptied(before.requiredResourceAccess, []),
    certificates: next.certificates ?? emptied(before.certificates, []),
    federatedIdentities: next.federatedIdentities ?? emptied(before.federatedIdentities, []),
    grants: takenBack(before.grants, next.grants)
  }
}

function emptied<T> (before: T | null, empty: T): T | null {
  return before === null ? null : empty
}

/** Whatever was granted once and is not granted now is taken back, for as long as the client lives: a repeat is harmless. */
function takenBack (before: PermissionGrants | null, next: PermissionGrants | null): PermissionGrants | null {
  if (before === null) return next
  const granted = next?.granted ?? []
  const kept = new Set(pairs(granted).map(key))
  const former = new Map(pairs([...before.granted, ...before.revoked]).map(pair => [key(pair), pair]))
  const revoked = new Map<string, ResourceAccess>()
  for (const [name, { resourceAppId, permission }] of former) {
    if (kept.has(name)) continue
    const access = revoked.get(resourceAppId) ?? { resourceAppId, permissions: [] }
    access.permissions.push(permission)
    revoked.set(resourceAppId, access)
  }
  return { granted, revoked: [...revoked.values()] }
}

type Pair = { resourceAppId: string, permission: ResourceAccess['permissions'][number] }

function pairs (accesses: readonly ResourceAccess[]): Pair[] {
  return accesses.flatMap(({ resourceAppId, permissions }) => permissions.map(permission => ({ resourceAppId, permission })))
}

function key ({ resourceAppId, permission }: Pair): string {
  return `${resourceAppId} ${permission.type} ${permission.id}`
}
