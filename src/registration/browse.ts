// Use cases: look through the registrations, look at one. A caller sees what is his (promise 6); an operator sees all of his provider, or everything.
import { RegistrationError } from './errors.ts'
import { toRegistrationError } from './failures.ts'
import type {
  ListedRegistration, ListPosition, RegistrationBrowser, RegistrationFilter, RegistrationSort, ShownRegistration, Visibility
} from './browse-port.ts'
import type { Caller } from './registration.ts'

/** Numbered pages end here: skipping rows costs as much as reading them. */
export const MAX_NUMBERED_ROW = 10_000

/** A page by its number (from 1), or the one behind a position. */
export type PageStart = { number: number } | { after: ListPosition }

export interface RegistrationQuery {
  filters: readonly RegistrationFilter[]
  sort: RegistrationSort
  /** Rows of a page. */
  size: number
  start: PageStart
}

export interface RegistrationPage {
  registrations: ListedRegistration[]
  /** How many there are; 10,001 stands for more than 10,000. */
  total: number
  /** Where the next page starts; null on the last. */
  next: ListPosition | null
}

/** Both throw RegistrationError `temporarily_unavailable` when the database can't be reached. */
export interface RegistrationsReader {
  /** A numbered page must end within MAX_NUMBERED_ROW. */
  list (query: RegistrationQuery, caller: Caller): Promise<RegistrationPage>
  /** @throws RegistrationError unknown_client */
  show (id: string, caller: Caller): Promise<ShownRegistration>
}

export function createRegistrationsReader (browser: RegistrationBrowser): RegistrationsReader {
  return {
    list: (query, caller) => answering(listRegistrations(browser, query, caller)),
    show: (id, caller) => answering(showRegistration(browser, id, caller))
  }
}

async function listRegistrations (browser: RegistrationBrowser, query: RegistrationQuery, caller: Caller): Promise<RegistrationPage> {
  const { filters, sort, size, start } = query
  const visibility = visibilityOf(caller)
  const skip = 'number' in start ? (start.number - 1) * size : 0
  if (skip + size > MAX_NUMBERED_ROW) throw new RangeError(`A numbered page must end within ${MAX_NUMBERED_ROW} rows`)
  const [found, total] = await Promise.all([
    // One more than asked for tells whether there is a next page.
    browser.list({ filters, visibility, sort, after: 'after' in start ? start.after : null, skip, limit: size + 1 }),
    browser.count(filters, visibility, MAX_NUMBERED_ROW + 1)
  ])
  const registrations = found.slice(0, size)
  const last = registrations.at(-1)
  const next = found.length > size && last !== undefined ? { value: sortValueOf(last, sort), id: last.id } : null
  return { registrations, total, next }
}

async function showRegistration (browser: RegistrationBrowser, id: string, caller: Caller): Promise<ShownRegistration> {
  const registration = await browser.show(id, visibilityOf(caller))
  if (registration === null) throw new RegistrationError('unknown_client', 'There is no such registration.')
  return registration
}

/** The rows for which isVisible (access.ts) holds. */
function visibilityOf (caller: Caller): Visibility {
  const { kind, id, providerId } = caller
  if (kind === 'operator') return { providerId, callerId: null, surface: null }
  if (kind === 'konnect') return { providerId, callerId: null, surface: 'konnect' }
  return { providerId, callerId: id, surface: null }
}

function sortValueOf (registration: ListedRegistration, { field }: RegistrationSort): Date | string {
  return field === 'clientName' ? registration.metadata.clientName : registration[field]
}

async function answering<T> (work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw toRegistrationError(error)
  }
}
