// Which properties a Graph write may set, of what type, and Entra's limits on them.
import type { Application } from '@microsoft/microsoft-graph-types'
import { complexDefaults } from './application-defaults.ts'
import { badRequest, GraphError, invalidValue } from './graph-errors.ts'
import { checkRedirectUris } from './redirect-uris.ts'
import { checkLinks, checkRequiredAccess } from './resource-access.ts'

type Shape = 'string' | 'boolean' | 'integer' | 'strings' | 'objects' | 'object' | { readonly [member: string]: Shape }

const redirects: Shape = { redirectUris: 'strings' }

const writableOfApplication: Readonly<Record<string, Shape>> = {
  displayName: 'string',
  description: 'string',
  notes: 'string',
  tags: 'strings',
  identifierUris: 'strings',
  signInAudience: 'string',
  groupMembershipClaims: 'string',
  serviceManagementReference: 'string',
  defaultRedirectUri: 'string',
  samlMetadataUrl: 'string',
  nativeAuthenticationApisEnabled: 'string',
  tokenEncryptionKeyId: 'string',
  isFallbackPublicClient: 'boolean',
  isDeviceOnlyAuthSupported: 'boolean',
  oauth2RequirePostResponse: 'boolean',
  web: {
    ...redirects,
    homePageUrl: 'string',
    logoutUrl: 'string',
    implicitGrantSettings: { enableAccessTokenIssuance: 'boolean', enableIdTokenIssuance: 'boolean' },
    redirectUriSettings: 'objects'
  },
  spa: redirects,
  publicClient: redirects,
  api: {
    acceptMappedClaims: 'boolean',
    knownClientApplications: 'strings',
    oauth2PermissionScopes: 'objects',
    preAuthorizedApplications: 'objects',
    requestedAccessTokenVersion: 'integer'
  },
  info: { logoUrl: 'string', marketingUrl: 'string', privacyStatementUrl: 'string', supportUrl: 'string', termsOfServiceUrl: 'string' },
  appRoles: 'objects',
  addIns: 'objects',
  requiredResourceAccess: 'objects',
  optionalClaims: 'object',
  parentalControlSettings: 'object',
  requestSignatureVerification: 'object',
  servicePrincipalLockConfiguration: 'object'
}

const writableOfPrincipal: Readonly<Record<string, Shape>> = {
  displayName: 'string',
  description: 'string',
  notes: 'string',
  homepage: 'string',
  loginUrl: 'string',
  logoutUrl: 'string',
  preferredSingleSignOnMode: 'string',
  accountEnabled: 'boolean',
  appRoleAssignmentRequired: 'boolean',
  tags: 'strings',
  alternativeNames: 'strings',
  notificationEmailAddresses: 'strings',
  servicePrincipalNames: 'strings',
  replyUrls: 'strings'
}

export type Resource = 'Application' | 'ServicePrincipal'

const writable: Readonly<Record<Resource, Readonly<Record<string, Shape>>>> = {
  Application: writableOfApplication,
  ServicePrincipal: writableOfPrincipal
}

const readOnly = new Set(['id', 'appId', 'createdDateTime', 'deletedDateTime', 'publisherDomain', 'createdByAppId', 'certification',
  'verifiedPublisher', 'uniqueName', 'passwordCredentials', 'keyCredentials', 'appDisplayName', 'appOwnerOrganizationId', 'servicePrincipalType'])

/** A JSON object as the body of a request, or a GraphError 400. */
export function objectOf (body: unknown): Record<string, unknown> {
  if (isPlainObject(body)) return body
  throw new GraphError(400, 'BadRequest', 'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.')
}

/**
 * The properties that `body` sets, merged into `current`: a complex property keeps the members the body doesn't name.
 * Throws GraphError 400 for unknown and read-only properties, wrong types and broken limits.
 */
export function applyChanges<Properties extends object> (
  resource: Resource, current: Properties, body: Record<string, unknown>
): Properties {
  const merged: Record<string, unknown> = Object.fromEntries(Object.entries(current))
  for (const [name, value] of Object.entries(body)) {
    if (name.startsWith('@odata.')) continue
    const shape = Object.hasOwn(writable[resource], name) ? writable[resource][name] : undefined
    if (shape === undefined) {
      throw badRequest(readOnly.has(name) ? `Property '${name}' is read-only and cannot be set.` : `Invalid property '${name}'.`)
    }
    checkShape(resource, name, value, shape)
    merged[name] = mergedValue(merged[name], value ?? complexDefaults[name]?.() ?? null)
  }
  checkTexts(resource, merged)
  if (resource === 'Application') checkApplication(merged)
  return merged as Properties
}

function checkShape (resource: Resource, path: string, value: unknown, shape: Shape): void {
  const refuse = (expected: string): never => { throw invalidValue(path, resource, `A value of type '${expected}' is expected.`) }
  if (value === null && shape !== 'strings' && shape !== 'objects') return
  if (shape === 'strings') {
    if (!Array.isArray(value) || !value.every(item => typeof item === 'string')) refuse('Collection(Edm.String)')
  } else if (shape === 'objects') {
    if (!Array.isArray(value) || !value.every(isPlainObject)) refuse('Collection')
  } else if (shape === 'integer') {
    if (!Number.isInteger(value)) refuse('Edm.Int32')
  } else if (shape === 'string') {
    if (typeof value !== 'string') refuse('Edm.String')
  } else if (shape === 'boolean') {
    if (typeof value !== 'boolean') refuse('Edm.Boolean')
  } else if (!isPlainObject(value)) {
    refuse('object')
  } else if (shape !== 'object') {
    for (const [member, inner] of Object.entries(value)) {
      if (member.includes('@odata.')) continue
      const innerShape = Object.hasOwn(shape, member) ? shape[member] : undefined
      if (innerShape === undefined) throw badRequest(`Invalid property '${member}'.`)
      checkShape(resource, `${path}.${member}`, inner, innerShape)
    }
  }
}

/** Entra: displayName 256, description and notes 1,024 characters; tags 1 to 256, without white space, no two alike. */
function checkTexts (resource: Resource, { displayName, description, notes, tags }: Record<string, unknown>): void {
  if (typeof displayName !== 'string' || displayName.trim() === '') {
    throw invalidValue('displayName', resource, 'A value is required.')
  }
  if (displayName.length > 256) throw invalidValue('displayName', resource, 'The value may have 256 characters.')
  for (const [name, text] of Object.entries({ description, notes })) {
    if (typeof text === 'string' && text.length > 1024) throw invalidValue(name, resource, 'The value may have 1024 characters.')
  }
  const words = (tags ?? []) as string[]
  if (words.some(tag => tag.length < 1 || tag.length > 256 || /\s/.test(tag)) || new Set(words).size !== words.length) {
    throw invalidValue('tags', resource, 'A tag has 1 to 256 characters, no white space, and appears once.')
  }
}

const audiences = ['AzureADMyOrg', 'AzureADMultipleOrgs', 'AzureADandPersonalMicrosoftAccount', 'PersonalMicrosoftAccount']

function checkApplication (application: Application): void {
  const { signInAudience, api, identifierUris, publisherDomain } = application
  if (!audiences.includes(signInAudience ?? '')) throw invalidValue('signInAudience', 'Application', 'No such audience.')
  const version = api?.requestedAccessTokenVersion ?? null
  if (![null, 1, 2].includes(version)) throw invalidValue('api.requestedAccessTokenVersion', 'Application', 'Must be null, 1 or 2.')
  if (signInAudience?.includes('Personal') && version !== 2) {
    throw invalidValue('api.requestedAccessTokenVersion', 'Application', 'Must be 2 for personal accounts.')
  }
  for (const uri of identifierUris ?? []) {
    if (uri.length > 255 || uri.endsWith('/') || !URL.canParse(uri)) throw invalidValue('identifierUris', 'Application', 'The App ID URI is malformed.')
    if (uri.startsWith('https:') && !new URL(uri).hostname.endsWith(publisherDomain ?? '')) {
      const message = "Values of identifierUris property must use a verified domain of the organization or its subdomain: '" + uri + "'"
      throw new GraphError(400, 'HostNameNotOnVerifiedDomain', message)
    }
  }
  checkRedirectUris(application)
  checkRequiredAccess(application)
  checkLinks(application)
}

function mergedValue (current: unknown, value: unknown): unknown {
  if (!isPlainObject(current) || !isPlainObject(value)) return value
  return { ...current, ...Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, mergedValue(current[name], inner)])) }
}

function isPlainObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
