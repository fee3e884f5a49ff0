// Registrations of a running broker, for the commands about them.
import type { OperationsApi } from './operations-api.ts'

/** What the commands show of one; the whole is what --json prints. */
export interface RegistrationDocument {
  id: string
  client_id: string | null
  client_name: string
  state: string
  provider: string
  surface: string
  owner: string | null
  last_fault: string | null
  created_at: string
  last_used_at: string | null
}

interface Page {
  data: RegistrationDocument[]
  meta: { page: { next: string | null } }
}

const PAGE_SIZE = 100

/** At most `limit`, newest first. @throws CommandError */
export async function listRegistrations (api: OperationsApi, filters: Readonly<Record<string, string>>, limit: number): Promise<RegistrationDocument[]> {
  const found: RegistrationDocument[] = []
  let path: string | null = `/registrations?${new URLSearchParams({ ...filters, 'page[size]': String(Math.min(limit, PAGE_SIZE)) }).toString()}`
  while (path !== null && found.length < limit) {
    const page = await api.ask('GET', path) as Page
    found.push(...page.data)
    path = page.meta.page.next?.replace(/^\/v2/, '') ?? null
  }
  return found.slice(0, limit)
}

/** A registration is named by its id or by its client id. @throws CommandError */
export async function registrationIdOf (api: OperationsApi, name: string): Promise<string> {
  const [found] = await listRegistrations(api, { 'filter[client_id][eq]': name }, 1)
  return found?.id ?? name
}
