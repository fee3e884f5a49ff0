// Lines in, one report a line out, in their order. Several lines are worked on at once; nothing is held but their reports.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RegistrationError, type RegistrationErrorCode } from '../../../registration/errors.ts'
import type { Call } from '../../../registration/access.ts'
import type { ImportClient, Imported } from '../../../registration/import-client.ts'
import { toRequestedMetadata } from '../../../registration/metadata/requested-document.ts'
import type { Registrar } from '../../../registration/registrar.ts'
import { ref } from '../../plugins/openapi.ts'
import { faultOfJson } from '../../plugins/json-bodies.ts'
import { fromSchemaFault } from '../invalid-parameters.ts'
import type { Line } from './ndjson-body.ts'
import { ImportLine, type ImportLineBody, type ImportReportBody } from './transfer-schemas.ts'

/** A registration takes three calls of Graph, one after the other; the tenant's budget bounds them all together. */
const LINES_AT_ONCE = 4

/** A repeat of the same line would be refused too. All others may go better the next time. */
const REFUSALS: ReadonlySet<RegistrationErrorCode> = new Set(['invalid_client_metadata', 'invalid_redirect_uri', 'invalid_request', 'registration_quota', 'not_permitted'])

type ImportRegistrar = Pick<Registrar, 'importClient' | 'answered'>

/** Yields the reports as lines of text. When the answer has left, the clients in it are delivered; when it broke off, those it made and did not name are undone. */
export async function * importReports (
  server: FastifyInstance, registrar: ImportRegistrar, lines: readonly Line[], call: Call, request: FastifyRequest, reply: FastifyReply
): AsyncGenerator<string, void> {
  const parse = lineReader(server, request)
  const answers = trackAnswers(registrar, reply)

  async function work (line: Line): Promise<ImportReportBody> {
    try {
      const imported = await registrar.importClient(commandOf(parse(line.text)), call)
      if (imported.client !== null) answers.made(imported.registration.id, imported.outcome === 'created')
      return { line: line.number, ...reportOf(imported) }
    } catch (error) {
      return { line: line.number, ...failureOf(error, request) }
    }
  }

  const underWay: Array<Promise<ImportReportBody>> = []
  for (const line of lines) {
    underWay.push(work(line))
    if (underWay.length >= LINES_AT_ONCE) yield await next()
  }
  while (underWay.length > 0) yield await next()

  async function next (): Promise<string> {
    const report = await (underWay.shift() as Promise<ImportReportBody>)
    if (report.id !== undefined) answers.reported(report.id)
    return `${JSON.stringify(report)}\n`
  }
}

/**
 * What becomes of the clients in an answer of many. One that was written but perhaps not received is left unknown: kept and listed. So is
 * one that another request has made: its answer may have named it.
 */
function trackAnswers ({ answered }: Pick<Registrar, 'answered'>, { raw }: FastifyReply) {
  const [made, ofOthers, reported] = [new Set<string>(), new Set<string>(), new Set<string>()]
  let broken = raw.destroyed
  raw.once('close', () => {
    broken = !raw.writableFinished
    if (!broken) for (const id of [...made, ...ofOthers]) answered(id, 'delivered')
    else for (const id of made) if (!reported.has(id)) answered(id, 'not_delivered')
  })
  return {
    made (id: string, isNew: boolean): void {
      (isNew ? made : ofOthers).add(id)
      if (isNew && broken) answered(id, 'not_delivered')
    },
    reported (id: string): void { reported.add(id) }
  }
}

/** @throws RegistrationError invalid_request for a line that is none */
function lineReader (server: FastifyInstance, request: FastifyRequest): (text: string) => ImportLineBody {
  const parse = server.getDefaultJsonParser('error', 'error')
  // By reference: the schema itself is known to the validator under its name.
  const validate = request.compileValidationSchema(ref(ImportLine), 'body')
  return text => {
    let value: unknown
    let fault: string | null = null
    parse(request, text, (error, parsed) => {
      if (error !== null) fault = 'The line is not JSON, or has a member __proto__ or constructor.prototype.'
      value = parsed
    })
    fault ??= faultOfJson(value, text)
    if (fault !== null) throw new RegistrationError('invalid_request', fault)
    if (validate(value) === true) return value as ImportLineBody
    const [first] = validate.errors ?? []
    throw new RegistrationError('invalid_request', first === undefined ? 'The line is not acceptable.' : fromSchemaFault(first, 'body').reason)
  }
}

function commandOf ({ provider, key, document, labels, owner }: ImportLineBody): ImportClient {
  return { provider: provider ?? null, key: key ?? null, requested: toRequestedMetadata(document), labels: labels ?? {}, owner: owner ?? null }
}

function reportOf ({ outcome, registration, client }: Imported): Omit<ImportReportBody, 'line'> {
  const clientSecret = client?.clientSecret ?? null
  const secretExpiresAt = client?.secretExpiresAt ?? null
  return {
    outcome,
    id: registration.id,
    client_id: registration.clientId,
    ...(clientSecret !== null && secretExpiresAt !== null && { client_secret: clientSecret, client_secret_expires_at: secretExpiresAt.toISOString() })
  }
}

function failureOf (error: unknown, request: FastifyRequest): Omit<ImportReportBody, 'line'> {
  if (error instanceof RegistrationError) {
    request.log.info({ code: error.code }, 'A line of an import was not registered')
    return { outcome: REFUSALS.has(error.code) ? 'refused' : 'failed', error: error.publicMessage }
  }
  request.log.error({ err: error }, 'A line of an import could not be worked on')
  return { outcome: 'failed', error: 'The broker has met an error of its own.' }
}
