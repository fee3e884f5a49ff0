// How records look in Graph's answers, and the answers that more than one route gives.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { unsupportedQuery, notFound } from './graph-errors.ts'
import { isListed, sightOf } from './lag.ts'
import { contextOf, option, pageSize, parseSkipToken, selector, skipToken } from './odata.ts'
import type { ODataQuery } from './odata.ts'
import { parseFilter } from './odata-filter.ts'
import type { DirectoryRecord, PasswordRecord } from './records.ts'
import type { Simulation } from './tenants.ts'

export type EntitySet = 'applications' | 'servicePrincipals' | 'directory/deletedItems'

const typeOf = { application: 'application', servicePrincipal: 'servicePrincipal' } as const

/** The base of every URL in an answer: as the caller reached us. */
export const baseUrlOf = (request: FastifyRequest): string => `${request.protocol}://${request.host}`

export const passwordView = ({ keyId, displayName, hint, startDateTime, endDateTime }: PasswordRecord) =>
  ({ customKeyIdentifier: null, displayName, endDateTime, hint, keyId, secretText: null, startDateTime })

/** An object as Graph shows it: passwords without their text, certificates without their key. */
export function viewOf (record: DirectoryRecord, seen: { properties: object, passwords: readonly PasswordRecord[] } = record): object {
  const certificates = record.kind === 'application' ? record.certificates : []
  return {
    ...seen.properties,
    keyCredentials: certificates.map(({ keyId, displayName, thumbprint, customKeyIdentifier = thumbprint, startDateTime, endDateTime }) => ({
      customKeyIdentifier, displayName, endDateTime, key: null, keyId, startDateTime, type: 'AsymmetricX509Cert', usage: 'Verify'
    })),
    passwordCredentials: seen.passwords.filter(password => password.removedAtMs === null).map(passwordView)
  }
}

/** Answers one object to a read; 404 while it has not replicated. */
export function sendSeen (simulation: Simulation, request: FastifyRequest, entitySet: EntitySet, record: DirectoryRecord): object {
  const select = option(request.query as ODataQuery, '$select')
  const seen = sightOf(record, simulation.lag, simulation.now())
  if (seen === null) throw notFound(record.id)
  return {
    '@odata.context': contextOf(baseUrlOf(request), entitySet, select, true),
    ...selector(select, typeOf[record.kind])(viewOf(record, seen))
  }
}

/** Answers 201 with what was made. */
export function sendCreated (request: FastifyRequest, reply: FastifyReply, entitySet: EntitySet, record: DirectoryRecord): object {
  const base = baseUrlOf(request)
  reply.code(201).header('location', `${base}/v2/${record.id}/directoryObjects/${record.id}`)
  return { '@odata.context': contextOf(base, entitySet, undefined, true), ...viewOf(record) }
}

/**
 * Answers a list: $filter, $select, $top, $skiptoken, $count, in the order of creation.
 * `exact` finds a record by an indexed property, so that the common filters cost nothing.
 */
export function sendList<R extends DirectoryRecord> (simulation: Simulation, request: FastifyRequest, entitySet: EntitySet, options: {
  type: R['kind']
  records: Iterable<R>
  exact?: (property: string, value: string) => R | null | undefined
}): object {
  const query = request.query as ODataQuery
  const filterText = option(query, '$filter')
  const filter = filterText === undefined ? null : parseFilter(filterText, typeOf[options.type])
  const isCounted = option(query, '$count')?.toLowerCase() === 'true'
  const isEventual = String(request.headers['consistencylevel']).toLowerCase() === 'eventual'
  const advanced = filter?.advancedOperator ?? null
  if (advanced !== null && !(isEventual && isCounted)) {
    throw unsupportedQuery(`Operator '${advanced}' is not supported because the 'ConsistencyLevel:eventual' header is missing. ` +
      'Refer to https://aka.ms/graph-docs/advanced-queries for more information')
  }
  refuseUnknownOptions(query)
  const candidates = recordsFor(filter?.exact ?? null, options)
  const now = simulation.now()
  const matching = [...candidates].filter(record =>
    isListed(record, simulation.lag, now) && (filter === null || filter.matches(viewOf(record))))
  const after = parseSkipToken(option(query, '$skiptoken'))
  const size = pageSize(option(query, '$top'))
  const rest = after === 0 ? matching : matching.filter(record => record.sequence > after)
  const page = rest.slice(0, size)
  const last = page.at(-1)
  const select = option(query, '$select')
  const selected = selector(select, typeOf[options.type])
  return {
    '@odata.context': contextOf(baseUrlOf(request), entitySet, select, false),
    ...(isCounted && isEventual ? { '@odata.count': matching.length } : {}),
    ...(last !== undefined && rest.length > size ? { '@odata.nextLink': nextLink(request, last.sequence) } : {}),
    value: page.map(record => selected(viewOf(record)))
  }
}

function recordsFor<R extends DirectoryRecord> (
  exact: { property: string, value: string } | null,
  { records, exact: find }: { records: Iterable<R>, exact?: (property: string, value: string) => R | null | undefined }
): Iterable<R> {
  const found = exact === null || find === undefined ? null : find(exact.property, exact.value)
  if (found === undefined) return []
  return found === null ? records : [found]
}

function nextLink (request: FastifyRequest, sequence: number): string {
  const url = new URL(request.originalUrl, baseUrlOf(request))
  url.searchParams.set('$skiptoken', skipToken(sequence))
  return url.href
}

const knownOptions = new Set(['$filter', '$select', '$top', '$count', '$skiptoken'])

function refuseUnknownOptions (query: ODataQuery): void {
  const unknown = Object.keys(query).find(name => name.startsWith('$') && !knownOptions.has(name))
  if (unknown !== undefined) throw unsupportedQuery(`The query option '${unknown}' is not supported.`)
}
