// RegistrationBrowser over Prisma. Columns that hold secrets are never read here.
import type {
  AuditField, AuditRecord, ListedRegistration, RegistrationBrowser, RegistrationField, RegistrationFilter, ShownRegistration, Visibility
} from '../registration/browse-port.ts'
import type { CredentialState } from '../registration/registration.ts'
import type { Prisma } from './generated/client.ts'
import type { RegistrationModel } from './generated/models.ts'
import { behind, conditionOf, orderOf, type ListedColumn } from './list-conditions.ts'
import type { PrismaClient } from './prisma-client.ts'
import { toRegistration } from './rows.ts'
import { guarded } from './store-errors.ts'

type Where = Prisma.RegistrationWhereInput

const columns: Readonly<Record<RegistrationField, ListedColumn>> = {
  id: { path: ['id'] },
  clientId: { path: ['clientId'], optional: true },
  clientName: { path: ['clientName'] },
  state: { path: ['state'] },
  provider: { path: ['provider', 'name'] },
  delivery: { path: ['delivery'] },
  applicationId: { path: ['applicationId'], optional: true },
  surface: { path: ['surface'] },
  owner: { path: ['owner'], optional: true },
  createdAt: { path: ['createdAt'] },
  updatedAt: { path: ['updatedAt'] },
  lastUsedAt: { path: ['lastUsedAt'], optional: true }
}

const auditColumns: Readonly<Record<AuditField, ListedColumn>> = {
  action: { path: ['action'] },
  actor: { path: ['actor'] },
  outcome: { path: ['outcome'] },
  at: { path: ['at'] }
}

const withProvider = { include: { provider: { select: { name: true } } } } as const

const withEverything = {
  include: {
    ...withProvider.include,
    credentials: {
      orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      select: { id: true, keyId: true, state: true, hint: true, createdAt: true, expiresAt: true }
    },
    events: {
      orderBy: [{ receivedAt: 'asc' }, { id: 'asc' }],
      omit: { registrationId: true }
    }
  }
} as const satisfies Prisma.RegistrationDefaultArgs

export function createRegistrationBrowser (prisma: PrismaClient): RegistrationBrowser {
  return {
    list: ({ filters, visibility, sort, after, skip, limit }) => guarded(async () => {
      const rows = await prisma.registration.findMany({
        where: { AND: [...conditions(filters, visibility), ...(after === null ? [] : [behind(after, sort)])] },
        orderBy: orderOf(sort),
        skip,
        take: limit,
        ...withProvider
      })
      return rows.map(toListed)
    }),

    count: (filters, visibility, limit) => guarded(async () =>
      await prisma.registration.count({ where: { AND: conditions(filters, visibility) }, take: limit })),

    show: (id, visibility) => guarded(async (): Promise<ShownRegistration | null> => {
      const row = await prisma.registration.findFirst({ where: { AND: [{ id }, visibleRows(visibility)] }, ...withEverything })
      if (row === null) return null
      const credentials = row.credentials.map(credential => ({ ...credential, state: credential.state as CredentialState }))
      return { ...toListed(row), credentials, events: row.events }
    }),

    has: (id, visibility) => guarded(async () => await prisma.registration.count({ where: { AND: [{ id }, visibleRows(visibility)] } }) > 0),

    listAudit: (registrationId, { filters, sort, after, skip, limit }) => guarded(async () => {
      const rows = await prisma.auditEvent.findMany({
        where: { AND: [{ registrationId }, ...filters.map(filter => conditionOf(filter, auditColumns)), ...(after === null ? [] : [behind(after, sort)])] },
        orderBy: orderOf(sort),
        skip,
        take: limit,
        select: { id: true, at: true, actor: true, action: true, outcome: true, requestId: true, sourceAddress: true, detail: true }
      })
      return rows.map(row => ({ ...row, outcome: row.outcome as AuditRecord['outcome'], detail: row.detail as AuditRecord['detail'] }))
    }),

    countAudit: (registrationId, filters, limit) => guarded(async () => await prisma.auditEvent.count({
      where: { AND: [{ registrationId }, ...filters.map(filter => conditionOf(filter, auditColumns))] }, take: limit
    }))
  }
}

function toListed (row: RegistrationModel & { provider: { name: string } }): ListedRegistration {
  const { credentials, ...registration } = toRegistration({ ...row, credentials: [] })
  return { ...registration, providerName: row.provider.name }
}

function conditions (filters: readonly RegistrationFilter[], visibility: Visibility): Where[] {
  return [visibleRows(visibility), ...filters.map(filter => conditionOf(filter, columns))]
}

function visibleRows ({ providerId, callerId, surface }: Visibility): Where {
  return {
    ...(providerId === null ? {} : { providerId }),
    ...(callerId === null ? {} : { callerId }),
    ...(surface === null ? {} : { surface })
  }
}
