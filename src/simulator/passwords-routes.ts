// Graph: addPassword and removePassword of an application. The text of a secret leaves here once.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { applicationAt, callerOf, requireWriter } from './access.ts'
import { badRequest, GraphError, invalidValue } from './graph-errors.ts'
import { parseKey } from './odata.ts'
import { baseUrlOf, passwordView } from './presentation.ts'
import type { PasswordRecord } from './records.ts'
import type { Simulation, Tenant } from './tenants.ts'
import { objectOf } from './validation.ts'

interface Keyed { Params: { key: string } }

export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

/** 40 characters with a `~` in the fourth place, as Entra's are. */
export const newSecretText = (): string => {
  const text = randomBytes(30).toString('base64').replaceAll('+', '.').replaceAll('/', '_')
  return `${text.slice(0, 3)}~${text.slice(4)}`
}

/** A new password and its text. Dates are ISO-8601. */
export function newPassword (options: { displayName: string | null, startDateTime: string, endDateTime: string, nowMs: number }) {
  const secretText = newSecretText()
  const record: PasswordRecord = {
    keyId: randomUUID(),
    displayName: options.displayName,
    hint: secretText.slice(0, 3),
    startDateTime: options.startDateTime,
    endDateTime: options.endDateTime,
    digest: digestOf(secretText),
    addedAtMs: options.nowMs,
    removedAtMs: null
  }
  return { record, secretText }
}

export function passwordsRoutes (app: FastifyInstance, simulation: Simulation): void {
  for (const prefix of ['', 'microsoft.graph.']) {
    app.post<Keyed>(`/applications/:key/${prefix}addPassword`, (request) => {
      const caller = callerOf(request)
      const record = applicationAt(simulation, caller, parseKey(request.params.key))
      requireWriter(simulation, caller, record)
      const wanted = wantedPassword(request.body, simulation.now())
      requireAllowedPassword(caller.tenant, record.passwords, wanted)
      const { record: password, secretText } = newPassword({ ...wanted, nowMs: simulation.now() })
      caller.tenant.directory.write(record, { passwords: [...record.passwords, password] })
      return {
        '@odata.context': `${baseUrlOf(request)}/v1.0/$metadata#microsoft.graph.passwordCredential`,
        ...passwordView(password),
        secretText
      }
    })

    app.post<Keyed>(`/applications/:key/${prefix}removePassword`, (request, reply) => {
      const caller = callerOf(request)
      const record = applicationAt(simulation, caller, parseKey(request.params.key))
      requireWriter(simulation, caller, record)
      const { keyId } = objectOf(request.body)
      const found = record.passwords.find(password => password.keyId === keyId && password.removedAtMs === null)
      if (found === undefined) throw badRequest(`No password credential found with keyId '${String(keyId)}'.`)
      caller.tenant.directory.removePassword(record, found.keyId, simulation.lag.secretLingerMs)
      return reply.code(204).send()
    })
  }
}

type WantedPassword = Pick<PasswordRecord, 'displayName' | 'startDateTime' | 'endDateTime'>

function wantedPassword (body: unknown, nowMs: number): WantedPassword {
  const { passwordCredential = {} } = objectOf(body ?? {})
  const { displayName = null, startDateTime, endDateTime, ...unknown } = objectOf(passwordCredential ?? {})
  if (Object.hasOwn(unknown, 'secretText') || Object.hasOwn(unknown, 'keyId')) throw badRequest('A new password must have null value for keyId and secretText.')
  const [name] = Object.keys(unknown).filter(name => !name.startsWith('@odata.') && unknown[name] !== null)
  if (name !== undefined) throw badRequest(`Invalid property '${name}'.`)
  if (displayName !== null && typeof displayName !== 'string') throw invalidValue('displayName', 'PasswordCredential', 'A string is expected.')
  const startMs = timeOf('startDateTime', startDateTime) ?? nowMs
  const endMs = timeOf('endDateTime', endDateTime) ?? twoYearsAfter(startMs)
  if (endMs <= startMs || endMs <= nowMs) throw invalidEnd('The end date must be after the start date and in the future.')
  return { displayName, startDateTime: new Date(startMs).toISOString(), endDateTime: new Date(endMs).toISOString() }
}

function timeOf (name: string, value: unknown): number | null {
  if (value === undefined || value === null) return null
  const timeMs = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : NaN
  if (Number.isNaN(timeMs)) throw badRequest(`Cannot convert the literal '${String(value)}' of '${name}' to the expected type 'Edm.DateTimeOffset'.`)
  return timeMs
}

function twoYearsAfter (timeMs: number): number {
  const time = new Date(timeMs)
  return time.setUTCFullYear(time.getUTCFullYear() + 2)
}

const invalidEnd = (message: string): GraphError => new GraphError(400, 'KeyCredentialsInvalidEndDate', message, {
  details: [{ code: 'InvalidKeyEndDate', message, target: 'EndDate' }]
})

function requireAllowedPassword ({ policy, policyId }: Tenant, existing: readonly PasswordRecord[], wanted: WantedPassword): void {
  if (policy.passwordsForbidden) {
    throw new GraphError(400, 'CredentialTypeNotAllowedAsPerAppPolicy', `Credential type not allowed as per assigned policy '${policyId}'.`)
  }
  const lifetimeMs = Date.parse(wanted.endDateTime) - Date.parse(wanted.startDateTime)
  if (policy.maxSecretLifetimeMs !== null && lifetimeMs > policy.maxSecretLifetimeMs) {
    const message = `Credential lifetime exceeds the max value allowed as per assigned policy '${policyId}'.`
    throw new GraphError(400, 'CredentialInvalidLifetimeAsPerAppPolicy', message, {
      details: [{ code: 'InvalidKeyEndDate', message, target: 'EndDate' }]
    })
  }
  if (existing.filter(password => password.removedAtMs === null).length >= policy.passwordsPerApplication) {
    throw new GraphError(400, 'Directory_ResourceSizeExceeded',
      'The size of the object has exceeded its limit. Please reduce the number of values and retry your request.')
  }
}
