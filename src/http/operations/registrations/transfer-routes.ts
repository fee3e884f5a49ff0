// Many registrations at once: the export, streamed out of the database page by page, and the import, a report for each line.
import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { ListedRegistration } from '../../../registration/browse-port.ts'
import type { RegistrationsReader } from '../../../registration/browse.ts'
import { documentOf } from '../../../registration/metadata/registered-document.ts'
import type { Registrar } from '../../../registration/registrar.ts'
import { callerOf } from '../authentication.ts'
import { readByListQuery, readFilterQuery } from '../listing/list-query.ts'
import { sourceAddressOf } from '../../source-address.ts'
import { importReports } from './import.ts'
import { registrationList } from './list-shape.ts'
import { lineLimits, ndjsonBodies, type Line } from './ndjson-body.ts'
import { presentSummary } from './presenter.ts'
import { describeImport, exportRegistrations, importRegistrations } from './transfer-route-schemas.ts'
import { NDJSON, type ExportedRegistrationBody } from './transfer-schemas.ts'

export interface TransferRoutesOptions {
  registrations: Pick<RegistrationsReader, 'export'>
  registrar: Pick<Registrar, 'importClient' | 'answered'>
}

export const transferRoutes: FastifyPluginAsyncTypebox<TransferRoutesOptions> = async (server, { registrations, registrar }) => {
  // HEAD would read all of it for nothing.
  const options = { schema: exportRegistrations, config: { scope: 'read' }, exposeHeadRoute: false, ...readByListQuery(server) } as const

  server.get('/registrations/export', options, async (request, reply) => {
    const pages = registrations.export(readFilterQuery(registrationList, request.query), callerOf(request))
    // What fails before the first line is a problem; after it the answer breaks off.
    const first = await pages.next()
    return await reply.type(NDJSON).send(Readable.from(linesOf(first, pages)))
  })

  await server.register(async scope => await importRoute(scope, registrar))
}

async function importRoute (server: FastifyInstance, registrar: TransferRoutesOptions['registrar']): Promise<void> {
  await server.register(ndjsonBodies, lineLimits)

  server.post('/registrations/import', { schema: importRegistrations, config: { scope: 'register', idempotent: false, swaggerTransform: describeImport } }, async (request, reply) => {
    const call = { caller: callerOf(request), requestId: request.id, sourceAddress: sourceAddressOf(request) }
    const lines = (request.body ?? []) as Line[]
    return await reply.type(NDJSON).send(Readable.from(importReports(server, registrar, lines, call, request, reply)))
  })
}

/** A page is one chunk; the next one is read when it has been taken. */
async function * linesOf (first: IteratorResult<ListedRegistration[], void>, pages: AsyncGenerator<ListedRegistration[], void>): AsyncGenerator<string, void> {
  try {
    for (let page = first; page.done !== true; page = await pages.next()) {
      yield page.value.map(registration => `${JSON.stringify(presentExported(registration))}\n`).join('')
    }
  } finally {
    await pages.return()
  }
}

function presentExported (registration: ListedRegistration): ExportedRegistrationBody {
  return { ...presentSummary(registration), document: documentOf(registration.metadata) }
}
