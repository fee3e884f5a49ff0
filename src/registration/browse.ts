// Use cases: look through the registrations, look at one. A caller sees what is his (promise 6); an operator sees all of his provider, or everything.
import type { ListPosition, ListQuery, Page } from '../listing/query.ts'
import { readPage } from '../listing/read-page.ts'
import { RegistrationError } from './errors.ts'
import { toRegistrationError } from './failures.ts'
import type {
  AuditField, AuditRecord, AuditSortField, ListedRegistration, RegistrationBrowser, RegistrationField, RegistrationFilter, RegistrationSortField,
  ShownRegistration, Visibility
} from './browse-port.ts'
import type { Caller } from './registration.ts'

/** Rows read at once while exporting: they are all that is held in memory. */
const EXPORT_PAGE = 500

export type RegistrationQuery = ListQuery<RegistrationField, RegistrationSortField>

export type AuditQuery = ListQuery<AuditField, AuditSortField>

/** All throw RegistrationError `temporarily_unavailable` when the database can't be reached. */
export interface RegistrationsReader {
  /** A numbered page must end within MAX_NUMBERED_ROW. */
  list (query: RegistrationQuery, caller: Caller): Promise<Page<ListedRegistration>>
  /** @throws RegistrationError unknown_client */
  show (id: string, caller: Caller): Promise<ShownRegistration>
  /** All that the filters match, oldest first, by pages; what is registered meanwhile may be among them. Whoever stops asking ends it. */
  export (filters: readonly RegistrationFilter[], caller: Caller): AsyncGenerator<ListedRegistration[], void>
  /** What happened to one of them. @throws RegistrationError unknown_client */
  audit (id: string, query: AuditQuery, caller: Caller): Promise<Page<AuditRecord>>
}

export function createRegistrationsReader (browser: RegistrationBrowser): RegistrationsReader {
  return {
    list: (query, caller) => answering(listRegistrations(browser, query, caller)),
    show: (id, caller) => answering(showRegistration(browser, id, caller)),
    export: (filters, caller) => exportRegistrations(browser, filters, caller),
    audit: (id, query, caller) => answering(listAudit(browser, id, query, caller))
  }
}

async function listRegistrations (browser: RegistrationBrowser, query: RegistrationQuery, caller: Caller): Promise<Page<ListedRegistration>> {
  const visibility = visibilityOf(caller)
  return await readPage({
    list: rows => browser.list({ ...rows, visibility }),
    count: (filters, limit) => browser.count(filters, visibility, limit),
    sortValueOf: (registration, field) => field === 'clientName' ? registration.metadata.clientName : registration[field]
  }, query)
}

async function showRegistration (browser: RegistrationBrowser, id: string, caller: Caller): Promise<ShownRegistration> {
  const registration = await browser.show(id, visibilityOf(caller))
  if (registration === null) throw unknownRegistration()
  return registration
}

async function * exportRegistrations (
  browser: RegistrationBrowser, filters: readonly RegistrationFilter[], caller: Caller
): AsyncGenerator<ListedRegistration[], void> {
  const visibility = visibilityOf(caller)
  const sort = { field: 'createdAt', descending: false } as const
  let after: ListPosition | null = null
  for (;;) {
    const rows: ListedRegistration[] = await answering(browser.list({ filters, visibility, sort, after, skip: 0, limit: EXPORT_PAGE }))
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows
    if (rows.length < EXPORT_PAGE) return
    after = { value: last.createdAt, id: last.id }
  }
}

async function listAudit (browser: RegistrationBrowser, id: string, query: AuditQuery, caller: Caller): Promise<Page<AuditRecord>> {
  if (!await browser.has(id, visibilityOf(caller))) throw unknownRegistration()
  return await readPage({
    list: rows => browser.listAudit(id, rows),
    count: (filters, limit) => browser.countAudit(id, filters, limit),
    sortValueOf: ({ at }) => at
  }, query)
}

function unknownRegistration (): RegistrationError {
  return new RegistrationError('unknown_client', 'There is no such registration.')
}

/** The rows for which isVisible (access.ts) holds. */
function visibilityOf (caller: Caller): Visibility {
  const { kind, id, providerId } = caller
  if (kind === 'operator') return { providerId, callerId: null, surface: null }
  if (kind === 'konnect') return { providerId, callerId: null, surface: 'konnect' }
  return { providerId, callerId: id, surface: null }
}

async function answering<T> (work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw toRegistrationError(error)
  }
}
