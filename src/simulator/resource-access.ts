// What an application says about itself: the permissions it needs (requiredResourceAccess), and the pages its consent dialogue links to.
import type { Application } from '@microsoft/microsoft-graph-types'
import { invalidValue } from './graph-errors.ts'

const mostResources = 50
const mostPermissions = 400
const guid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

/** Throws GraphError 400 for what Entra would not store. */
export function checkRequiredAccess ({ requiredResourceAccess }: Application): void {
  const resources: readonly object[] = requiredResourceAccess ?? []
  const refuse = (why: string): never => { throw invalidValue('requiredResourceAccess', 'Application', why) }
  if (resources.length > mostResources) refuse(`An application may require permissions of ${mostResources} resources.`)
  const seen = new Set<string>()
  let permissions = 0
  for (const resource of resources) {
    const { resourceAppId, resourceAccess, ...rest } = resource as Record<string, unknown>
    if (typeof resourceAppId !== 'string' || !guid.test(resourceAppId)) return refuse('The resourceAppId is an appId.')
    if (seen.has(resourceAppId.toLowerCase())) refuse('A resource may be listed once.')
    seen.add(resourceAppId.toLowerCase())
    if (!Array.isArray(resourceAccess) || resourceAccess.length === 0) return refuse('The resourceAccess lists at least one permission.')
    if (!resourceAccess.every(isPermission)) refuse("A permission has an id and the type 'Scope' or 'Role'.")
    const unknown = Object.keys(rest).find(name => !name.startsWith('@odata.'))
    if (unknown !== undefined) refuse(`There is no member '${unknown}'.`)
    permissions += resourceAccess.length
  }
  if (permissions > mostPermissions) refuse(`An application may require ${mostPermissions} permissions.`)
}

function isPermission (value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { id, type } = value as Record<string, unknown>
  return typeof id === 'string' && guid.test(id) && (type === 'Scope' || type === 'Role')
}

/** Entra: links are absolute http or https URLs. */
export function checkLinks ({ info, web }: Application): void {
  const links = { 'web.homePageUrl': web?.homePageUrl }
  for (const name of ['marketingUrl', 'privacyStatementUrl', 'supportUrl', 'termsOfServiceUrl'] as const) {
    Object.assign(links, { [`info.${name}`]: info?.[name] })
  }
  for (const [path, link] of Object.entries(links)) {
    if (link !== null && link !== undefined && !(URL.canParse(link) && /^https?:/i.test(link))) {
      throw invalidValue(path, 'Application', 'An absolute http or https URL is expected.')
    }
  }
}
