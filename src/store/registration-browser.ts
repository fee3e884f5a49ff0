// RegistrationBrowser over Prisma. Columns that hold secrets are never read here.
import type {
  ListedRegistration, ListPosition, RegistrationBrowser, RegistrationFilter, RegistrationSort, ShownRegistration, Visibility
} from '../registration/browse-port.ts'
import type { CredentialState } from '../registration/registration.ts'
import type { Prisma } from './generated/client.ts'
import type { RegistrationModel } from './generated/models.ts'
import type { PrismaClient } from './prisma-client.ts'
import { toRegistration } from './rows.ts'
import { guarded } from './store-errors.ts'

type Where = Prisma.RegistrationWhereInput

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
    })
  }
}

function toListed (row: RegistrationModel & { provider: { name: string } }): ListedRegistration {
  const { credentials, ...registration } = toRegistration({ ...row, credentials: [] })
  return { ...registration, providerName: row.provider.name }
}

function conditions (filters: readonly RegistrationFilter[], visibility: Visibility): Where[] {
  return [visibleRows(visibility), ...filters.map(condition)]
}

function visibleRows ({ providerId, callerId, surface }: Visibility): Where {
  return {
    ...(providerId === null ? {} : { providerId }),
    ...(callerId === null ? {} : { callerId }),
    ...(surface === null ? {} : { surface })
  }
}

function condition (filter: RegistrationFilter): Where {
  if (filter.operator === 'exists') return { [filter.field]: { not: null } }
  if (filter.field === 'createdAt') return { createdAt: { [filter.operator]: filter.time } }
  if (filter.operator === 'contains') {
    return { OR: filter.values.map(text => ({ clientName: { contains: literal(text), mode: 'insensitive' } })) }
  }
  const { field } = filter
  const test = { [filter.operator === 'in' ? 'in' : 'notIn']: [...filter.values] }
  if (field === 'provider') return { provider: { name: test } }
  // SQL: a row without a value is neither equal nor unequal to one.
  if (filter.operator === 'not_in' && (field === 'clientId' || field === 'applicationId')) return { OR: [{ [field]: test }, { [field]: null }] }
  return { [field]: test }
}

// Prisma hands the text to LIKE as it is.
function literal (text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&')
}

function orderOf ({ field, descending }: RegistrationSort): Prisma.RegistrationOrderByWithRelationInput[] {
  const direction = descending ? 'desc' : 'asc'
  return [{ [field]: direction }, { id: direction }]
}

// (value, id) behind the position. The first condition alone bounds the scan of the index; an OR of both would not.
function behind ({ value, id }: ListPosition, { field, descending }: RegistrationSort): Where {
  const [beyond, upTo] = descending ? ['lt', 'lte'] as const : ['gt', 'gte'] as const
  return { [field]: { [upTo]: value }, OR: [{ [field]: { [beyond]: value } }, { id: { [beyond]: id } }] }
}
