// Graph: federatedIdentityCredentials of an application. List, read, create, upsert by name, change, delete.
import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { applicationAt, callerOf, requireReader, requireWriter } from './access.ts'
import { prefersCreation } from './applications-routes.ts'
import { badRequest, GraphError, notFound } from './graph-errors.ts'
import { parseKey } from './odata.ts'
import { baseUrlOf } from './presentation.ts'
import type { ApplicationRecord, FederationRecord } from './records.ts'
import type { Simulation } from './tenants.ts'
import { objectOf } from './validation.ts'

interface Keyed { Params: { key: string } }
interface CredentialKeyed { Params: { key: string, credential: string } }

const mostCredentials = 20

export function federatedCredentialsRoutes (app: FastifyInstance, simulation: Simulation): void {
  const path = '/applications/:key/federatedIdentityCredentials'

  const readable = (request: FastifyRequest<Keyed>): ApplicationRecord => {
    const caller = callerOf(request)
    requireReader(caller)
    return applicationAt(simulation, caller, parseKey(request.params.key))
  }
  const writable = (request: FastifyRequest<Keyed>): ApplicationRecord => {
    const caller = callerOf(request)
    const record = applicationAt(simulation, caller, parseKey(request.params.key))
    requireWriter(simulation, caller, record)
    return record
  }
  const write = (request: FastifyRequest, record: ApplicationRecord, federations: FederationRecord[]): void =>
    callerOf(request).tenant.directory.write(record, { federations })

  app.get<Keyed>(path, (request) => {
    const record = readable(request)
    return { '@odata.context': contextOf(request, record), value: record.federations.map(viewOf) }
  })

  app.get<CredentialKeyed>(`${path}/:credential`, (request) => {
    const record = readable(request)
    return { '@odata.context': `${contextOf(request, record)}/$entity`, ...viewOf(required(record, request.params.credential)) }
  })

  app.post<Keyed>(path, (request, reply) => {
    const record = writable(request)
    const created = credentialOf(objectOf(request.body), record, null)
    write(request, record, [...record.federations, created])
    return reply.code(201).send({ '@odata.context': `${contextOf(request, record)}/$entity`, ...viewOf(created) })
  })

  app.patch<CredentialKeyed>(`${path}/:credential`, (request, reply) => {
    const record = writable(request)
    const body = objectOf(request.body)
    const key = parseKey(request.params.credential)
    const known = found(record, request.params.credential)
    if (known === undefined) {
      if (key.property !== 'name' || !prefersCreation(request)) throw notFound(key.value)
      const created = credentialOf({ ...body, name: key.value }, record, null)
      write(request, record, [...record.federations, created])
      return reply.code(201).send({ '@odata.context': `${contextOf(request, record)}/$entity`, ...viewOf(created) })
    }
    if (body['name'] !== undefined && body['name'] !== known.name) throw refused('name', 'it cannot be changed.')
    const changed = credentialOf({ ...viewOf(known), ...body }, record, known)
    write(request, record, record.federations.map(one => one === known ? changed : one))
    return reply.code(204).send()
  })

  app.delete<CredentialKeyed>(`${path}/:credential`, (request, reply) => {
    const record = writable(request)
    const known = required(record, request.params.credential)
    write(request, record, record.federations.filter(one => one !== known))
    return reply.code(204).send()
  })
}

/** By its id or its name: `<id>`, `<name>` or `name='<name>'`. */
function found ({ federations }: ApplicationRecord, segment: string): FederationRecord | undefined {
  const { property, value } = parseKey(segment)
  return federations.find(({ id, name }) => name === value || (property === 'id' && id === value.toLowerCase()))
}

function required (record: ApplicationRecord, segment: string): FederationRecord {
  const credential = found(record, segment)
  if (credential === undefined) throw notFound(parseKey(segment).value)
  return credential
}

const viewOf = ({ id, name, issuer, subject, description, audience }: FederationRecord) =>
  ({ id, name, issuer, subject, description, audiences: [audience] })

const contextOf = (request: FastifyRequest, { id }: ApplicationRecord): string =>
  `${baseUrlOf(request)}/v1.0/$metadata#applications('${id}')/federatedIdentityCredentials`

/** The credential that a body describes. Throws GraphError: 400 for what Entra does not take, 409 for a name that is taken. */
function credentialOf (body: Record<string, unknown>, { federations }: ApplicationRecord, replaced: FederationRecord | null): FederationRecord {
  const { id, name, issuer, subject, audiences, description = null, ...rest } = body
  const unknown = Object.keys(rest).find(property => !property.startsWith('@odata.'))
  if (unknown !== undefined) throw badRequest(`Invalid property '${unknown}'.`)
  if (typeof name !== 'string' || !/^[A-Za-z0-9][\w-]{2,119}$/.test(name)) throw refused('name', 'it has 3 to 120 characters that are safe in a URL.')
  if (!isText(issuer) || !URL.canParse(issuer)) throw refused('issuer', 'it is a URL of at most 600 characters.')
  if (!isText(subject)) throw refused('subject', 'it has 1 to 600 characters.')
  if (!Array.isArray(audiences) || audiences.length !== 1 || !isText(audiences[0])) throw refused('audiences', 'there is exactly one, of at most 600 characters.')
  if (description !== null && !isText(description)) throw refused('description', 'it has at most 600 characters.')
  const others = federations.filter(one => one !== replaced)
  if (others.some(one => one.name === name)) {
    throw new GraphError(409, 'Request_MultipleObjectsWithSameKeyValue', `FederatedIdentityCredential with name ${name} already exists.`)
  }
  if (others.some(one => one.issuer === issuer && one.subject === subject)) {
    throw invalid('The combination of issuer and subject must be unique for the application. ' +
      `Issuer ${issuer} and Subject: ${subject} already exist. paramName: FederatedIdentityCredential.Subject, paramValue: ${subject}`)
  }
  if (others.length >= mostCredentials) throw invalid(`The maximum of ${mostCredentials} FederatedIdentityCredentials of an application is reached.`)
  return { id: replaced?.id ?? randomUUID(), name, description, issuer, subject, audience: audiences[0], keys: replaced?.keys ?? [] }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0 && value.length <= 600

const invalid = (message: string): GraphError => new GraphError(400, 'InvalidFederatedIdentityCredentialValue', message)

const refused = (member: string, why: string): GraphError =>
  invalid(`The value of FederatedIdentityCredential.${member} is invalid: ${why}`)
