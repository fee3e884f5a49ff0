// Rows of providers and their credentials -> records. Sealed columns are never read here.
import type {
  ProviderCredentialKind, ProviderCredentialRecord, ProviderCredentialState, ProviderRecord
} from '../administration/provider-records.ts'
import type { NewCredential } from '../administration/provider-port.ts'
import type { CallerKind, RegistrationState } from '../registration/registration.ts'
import type { Prisma } from './generated/client.ts'

export const credentialColumns = {
  id: true, providerId: true, state: true, kind: true, clientId: true, hint: true, expiresAt: true, verifiedAt: true, createdAt: true, activatedAt: true
} as const satisfies Prisma.ProviderCredentialSelect

type CredentialRow = Prisma.ProviderCredentialGetPayload<{ select: typeof credentialColumns }>

const ended: RegistrationState[] = ['deleted', 'undone']
const gone: RegistrationState[] = [...ended, 'deleting', 'undoing']

/** Something of them may still be in Entra. */
export const livingRegistrations = { state: { notIn: ended } } as const

/** Somebody can still call with them; who registers without a key does not count. */
export const livingCallers = () => ({
  kind: { not: 'anonymous' satisfies CallerKind }, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }]
})

export const providerColumns = () => ({
  credentials: { where: { state: 'active' satisfies ProviderCredentialState }, select: credentialColumns },
  // Whether there is one: counting them all would take longer with each.
  registrations: { where: { state: { notIn: gone } }, select: { id: true }, take: 1 },
  callers: { where: livingCallers(), select: { id: true }, take: 1 }
} satisfies Prisma.ProviderInclude)

type ProviderRow = Prisma.ProviderGetPayload<{ include: ReturnType<typeof providerColumns> }>

export function toProviderRecord (row: ProviderRow): ProviderRecord {
  const [active] = row.credentials
  return {
    id: row.id,
    name: row.name,
    displayName: row.displayName,
    origin: row.origin === 'environment' ? 'environment' : 'database',
    issuer: row.issuer,
    tenantId: row.tenantId,
    initialClientId: row.initialClientId,
    authorityHost: row.authorityHost,
    graphBaseUrl: row.graphBaseUrl,
    labels: row.labels as Record<string, string>,
    active: row.registrations.length > 0 || row.callers.length > 0,
    credential: active === undefined ? null : toCredentialRecord(active),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt
  }
}

export function toCredentialRecord (row: CredentialRow): ProviderCredentialRecord {
  return { ...row, state: row.state as ProviderCredentialState, kind: row.kind as ProviderCredentialKind }
}

export function credentialRow ({ sealed, ...credential }: NewCredential, state: ProviderCredentialState) {
  return {
    ...credential,
    state,
    activatedAt: state === 'active' ? new Date() : null,
    ...(sealed === null
      ? {}
      : { sealVersion: sealed.version, sealKid: sealed.kid, sealWrappedKey: Buffer.from(sealed.wrappedKey), sealCiphertext: Buffer.from(sealed.ciphertext) })
  }
}

/** Erases what a removed credential was. */
export const removal = () => ({
  state: 'removed' satisfies ProviderCredentialState, removedAt: new Date(), sealVersion: null, sealKid: null, sealWrappedKey: null, sealCiphertext: null
})
