// Graph: applications. Create, upsert by uniqueName, read, list, change, delete.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { applicationAt, callerOf, findApplication, requireCreator, requireReader, requireWriter } from './access.ts'
import type { GraphCaller } from './access.ts'
import { newApplicationProperties } from './application-defaults.ts'
import { badRequest, denied, invalidValue, nameTaken, notFound } from './graph-errors.ts'
import { certificatesOf } from './key-credentials.ts'
import { parseKey } from './odata.ts'
import type { ODataKey } from './odata.ts'
import { sendCreated, sendList, sendSeen } from './presentation.ts'
import type { ApplicationRecord } from './records.ts'
import type { Simulation } from './tenants.ts'
import { applyChanges, objectOf } from './validation.ts'

interface Keyed { Params: { key: string } }

/** RFC 7240: preferences are a comma-separated list. */
export const prefersCreation = (request: FastifyRequest): boolean =>
  String(request.headers['prefer'] ?? '').toLowerCase().split(/[,;]/).some(preference => preference.trim() === 'create-if-missing')

export function applicationsRoutes (app: FastifyInstance, simulation: Simulation): void {
  app.get('/applications', (request) => {
    const caller = callerOf(request)
    requireReader(caller)
    const { directory } = caller.tenant
    return sendList(simulation, request, 'applications', {
      type: 'application',
      records: directory.applications.values(),
      exact: (property, value) => ['id', 'appId', 'uniqueName'].includes(property) ? findApplication(caller.tenant, { property, value }) : null
    })
  })

  app.post('/applications', (request, reply) => {
    const { uniqueName = null, ...body } = objectOf(request.body)
    if (uniqueName !== null && typeof uniqueName !== 'string') throw invalidValue('uniqueName', 'Application', 'A string is expected.')
    return sendCreated(request, reply, 'applications', createApplication(callerOf(request), body, uniqueName))
  })

  app.get<Keyed>('/applications/:key', (request) => {
    const caller = callerOf(request)
    requireReader(caller)
    const key = parseKey(request.params.key)
    const record = findApplication(caller.tenant, key)
    if (record === undefined) throw notFound(key.value)
    return sendSeen(simulation, request, 'applications', record)
  })

  app.patch<Keyed>('/applications/:key', (request, reply) => {
    const caller = callerOf(request)
    const key = parseKey(request.params.key)
    const { keyCredentials, ...body } = objectOf(request.body)
    refuseKeyCredentials(keyCredentials, key)
    const isUpsert = key.property === 'uniqueName' && prefersCreation(request)
    // An upsert is answered where writes are made: it sees what has not replicated yet.
    const record = isUpsert ? findApplication(caller.tenant, key) : applicationAt(simulation, caller, key)
    if (record === undefined) return sendCreated(request, reply, 'applications', createApplication(caller, body, key.value))
    requireWriter(simulation, caller, record)
    const properties = applyChanges('Application', record.properties, withoutOwnKey(body, record))
    requireFreeIdentifierUris(caller, properties.identifierUris ?? [], record)
    const certificates = keyCredentials === undefined ? {} : { certificates: certificatesOf(keyCredentials, record.certificates, simulation.now()) }
    caller.tenant.directory.write(record, { properties, ...certificates })
    return reply.code(204).send()
  })

  app.delete<Keyed>('/applications/:key', (request, reply) => {
    const caller = callerOf(request)
    const record = applicationAt(simulation, caller, parseKey(request.params.key))
    requireWriter(simulation, caller, record)
    caller.tenant.directory.softDelete(record)
    return reply.code(204).send()
  })
}

function createApplication (caller: GraphCaller, body: Record<string, unknown>, uniqueName: string | null): ApplicationRecord {
  requireCreator(caller)
  const { directory } = caller.tenant
  // Entra: under OwnedBy this property can only be set afterwards.
  if (objectLike(body['api']) && body['api']['acceptMappedClaims'] !== undefined && !caller.roles.has('Application.ReadWrite.All')) throw denied()
  if (uniqueName === '') throw badRequest('The value of uniqueName must not be empty.')
  if (uniqueName !== null && directory.holderOfUniqueName(uniqueName) !== undefined) throw nameTaken('uniqueName')
  const blank = newApplicationProperties({ id: '', appId: '', createdByAppId: null, createdDateTime: '', publisherDomain: `${caller.tenant.id.slice(0, 8)}.onmicrosoft.com` })
  const changed = applyChanges('Application', blank, body)
  requireFreeIdentifierUris(caller, changed.identifierUris ?? [], null)
  const { id, appId, createdByAppId, createdDateTime, publisherDomain, ...changes } = changed
  return directory.createApplication(changes, uniqueName, { appId: caller.appId, principalId: caller.principalId })
}

/** Entra: a PATCH by id takes keyCredentials; the upsert by uniqueName does not. */
function refuseKeyCredentials (keyCredentials: unknown, { property }: ODataKey): void {
  if (property === 'uniqueName' && keyCredentials !== undefined) throw badRequest("Property 'keyCredentials' is read-only and cannot be set.")
}

/** A PATCH may repeat the keys of the object, but not change them. */
function withoutOwnKey (body: Record<string, unknown>, record: ApplicationRecord): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([name, value]) =>
    !((name === 'uniqueName' && value === record.uniqueName) || (name === 'appId' && value === record.appId))))
}

function requireFreeIdentifierUris ({ tenant }: GraphCaller, uris: readonly string[], own: ApplicationRecord | null): void {
  for (const uri of uris) {
    const holder = tenant.directory.holderOfIdentifierUri(uri)
    if (holder !== undefined && holder !== own) throw nameTaken('identifierUris')
  }
}

function objectLike (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
