// Promise 4 for the log: whatever the broker hands to it, no secret comes out, and what an operator needs stays.
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { AuthError } from '@azure/msal-node'
import { GraphError } from '@microsoft/microsoft-graph-client'
import { fastify } from 'fastify'
import pg from 'pg'
import t from 'tap'
import { secretMembers } from '../src/log-redaction.ts'
import { createLogger } from '../src/logger.ts'
import { DirectoryError } from '../src/registration/ports.ts'

const canary = 'CaNaRy-4f1d'

function recordingLogger () {
  const lines: string[] = []
  const logger = createLogger({ level: 'trace', pretty: false, destination: { write: line => { lines.push(line) } } })
  return { logger, lines, text: () => lines.join('') }
}

t.test('a line is JSON with the level by name, an ISO time, the message and the details', async t => {
  const { logger, text } = recordingLogger()
  logger.warn({ registrationId: 'r1', attempts: 3, nested: { states: ['active', null], at: new Date(0) } }, 'a message')
  const line: Record<string, unknown> = JSON.parse(text())
  t.match(line, {
    level: 'warn',
    time: /^\d{4}-\d\d-\d\dT.*Z$/,
    registrationId: 'r1',
    attempts: 3,
    nested: { states: ['active', null], at: '1970-01-01T00:00:00.000Z' },
    msg: 'a message'
  })
})

t.test('every secret member is censored at every depth, in lists, in child loggers and in maps of headers', async t => {
  const { logger, lines, text } = recordingLogger()
  for (const name of secretMembers) {
    for (let depth = 0; depth < 7; depth++) {
      let details: object = { [name]: canary, kept: 'kept' }
      for (let level = 0; level < depth; level++) details = level % 2 === 0 ? { inner: details } : { inner: [details] }
      logger.info(details, 'details')
    }
    logger.info({ [name]: [canary], list: { [name]: { deep: canary } } }, 'other shapes')
    logger.child({ [name]: canary }).info('child')
  }
  t.equal(lines.length, secretMembers.length * 9)
  t.notMatch(text(), canary)
  t.match(lines[0], /"kept":"kept"/)
})

t.test('the recorder finds a canary that is not hidden', async t => {
  const { logger, text } = recordingLogger()
  logger.info({ harmless: canary }, 'a message')
  t.match(text(), canary)
})

t.test('bytes are never printed', async t => {
  const { logger, text } = recordingLogger()
  logger.info({ sealed: { bytes: Buffer.from(canary), view: new Uint8Array([67, 97, 78]) } }, 'bytes')
  t.notMatch(text(), canary)
  t.match(text(), `[${canary.length} bytes]`)
  t.notMatch(text(), '67,97,78')
})

t.test('errors of Graph, msal, undici, pg and Prisma lose requests, bodies, headers and parameters', async t => {
  const graph = Object.assign(new GraphError(403, 'Insufficient privileges'), {
    code: 'Authorization_RequestDenied', body: `{"secretText":"${canary}"}`, headers: new Headers({ authorization: canary })
  })
  const msal = new AuthError('invalid_client', `AADSTS7000215 client_assertion=${canary}&x=1`)
  const undici = Object.assign(new TypeError('fetch failed'), {
    cause: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', options: { headers: [canary] } })
  })
  const postgres = Object.assign(new pg.DatabaseError('duplicate key', 1, 'error'), {
    code: '23505', detail: `Key (secret)=(${canary}) already exists.`, where: canary, constraint: 'caller_pkey', parameters: [canary]
  })
  const prisma = Object.assign(new Error(`\nInvalid \`prisma.credential.create()\` invocation:\n{ data: { x: "${canary}" } }\n\nArgument \`y\` is missing.`),
    { name: 'PrismaClientValidationError', meta: { driverAdapterError: canary } })
  const axiosLike = Object.assign(new Error('refused'), { status: 401, config: { data: canary }, request: { body: canary }, response: canary })

  const { logger, text } = recordingLogger()
  for (const error of [graph, msal, undici, postgres, prisma, axiosLike]) {
    logger.error({ err: error }, 'under err')
    logger.error({ details: { failures: [error] } }, 'deeper')
    logger.error(error)
    logger.error(new Error('outer', { cause: error }), 'as a cause')
    logger.error({ err: new AggregateError([error], 'several') })
    logger.child({ err: error }).error('child')
  }
  t.notMatch(text(), canary)
  const kept = [
    'Authorization_RequestDenied', 'Insufficient privileges', 'AADSTS7000215', 'ECONNREFUSED', '23505', 'caller_pkey', 'Argument `y` is missing.', '"status":401'
  ]
  for (const fact of kept) t.ok(text().includes(fact), `${fact} stays`)
})

t.test('a value that PostgreSQL can\'t read is not repeated, and which column or relation is at fault stays', async t => {
  const { logger, text } = recordingLogger()
  for (const message of [`invalid input syntax for type uuid: "${canary}"`, `value "${canary}" is out of range for type integer`]) {
    const prisma = Object.assign(new Error(`\nInvalid \`x()\` invocation in\n\n${message}`), { name: 'PrismaClientKnownRequestError', code: 'P2007' })
    for (const error of [new Error(message), prisma]) logger.error({ err: error }, 'failed')
  }
  t.notMatch(text(), canary)
  t.match(text(), /invalid input syntax for type uuid: \\"\[redacted\]/)
  logger.error(new Error('null value in column "kept_name" violates not-null constraint'))
  t.match(text(), /kept_name/)
})

t.test('an error keeps its type, code, causes, frames and diagnostics', async t => {
  const { logger, lines } = recordingLogger()
  const cause = new DirectoryError('throttled', 'Graph is busy', { retryAfterMs: 2000, diagnostics: { status: 429, requestId: 'r-1' } })
  logger.error(new Error('the create failed', { cause }))
  const line: Record<string, unknown> = JSON.parse(lines[0] ?? '')
  t.match(line, {
    msg: 'the create failed',
    err: {
      type: 'Error',
      stack: /^Error: the create failed\n\s+at .*logger\.test/,
      cause: { type: 'DirectoryError', fault: 'throttled', retryAfterMs: 2000, diagnostics: { status: 429, requestId: 'r-1' } }
    }
  })
})

t.test('credentials within texts are censored and the rest of the text stays', async t => {
  const texts = [
    `Authorization: Bearer ${canary}`,
    `grant_type=client_credentials&client_secret=${canary}&scope=x`,
    `{"access_token":"${canary}","kept":1}`,
    `{\\"secretText\\":\\"${canary}\\"}`,
    `X-API-KEY: ${canary}`,
    `can't connect to postgresql://broker:${canary}@db:5432/x`
  ]
  const { logger, text } = recordingLogger()
  for (const each of texts) {
    logger.info(`before ${each} after`)
    logger.info({ body: each }, 'as a detail')
    logger.info('interpolated %s', each)
    logger.error(new Error(each))
  }
  t.notMatch(text(), canary)
  for (const kept of ['before', 'after', 'grant_type=client_credentials', 'scope=x', '@db:5432/x']) t.ok(text().includes(kept), kept)
})

t.test('what is known by its form is censored wherever Graph quotes it', async t => {
  const jwt = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(`{"sub":"${canary}"}`).toString('base64url')}.${'s'.repeat(342)}`
  const forms = [
    jwt,
    `dcr_rat_${'a1-_'.repeat(11)}`,
    `dcr_knk_${'0123456789abcdef'.repeat(4)}`,
    `Xyz8Q~${'aB.~_-7890'.repeat(4).slice(0, 34)}`,
    `-----BEGIN RSA PRIVATE KEY-----\n${'QUJD\n'.repeat(20)}-----END RSA PRIVATE KEY-----`,
    `-----BEGIN PRIVATE KEY-----\n${'QUJD\n'.repeat(20)}`
  ]
  for (const form of forms) {
    const { logger, text } = recordingLogger()
    logger.error(new DirectoryError('rejected', `Graph answered 400 to upsert application: '${form}' is not acceptable`))
    t.notOk(text().includes(form.slice(8, 40).replaceAll('\n', '\\n')), form.slice(0, 30))
    t.match(text(), /Graph answered 400 to upsert application: '\[redacted\]/)
  }
  // Ids, digests and names of our own stay.
  const { logger, text } = recordingLogger()
  const kept = ['dcr-01a20951-0000-4000-8000-000000000001', 'dcr_registrations_total', 'a~b', 'f'.repeat(64), 'src/store/registration-store.ts']
  logger.info(kept.join(' '))
  for (const each of kept) t.ok(text().includes(each), each)
})

t.test('an object that contains itself ends', async t => {
  const { logger, text } = recordingLogger()
  const ring: Record<string, unknown> = { name: 'ring' }
  ring.ring = ring
  const error = new Error('itself')
  error.cause = error
  logger.error({ ring, err: error }, 'ring')
  t.match(text(), /\[deeper\]/)
})

t.test('the readable form is as clean as JSON', async t => {
  const destination = new PassThrough({ encoding: 'utf8' })
  const logger = createLogger({ level: 'info', pretty: true, destination })
  const written = once(destination, 'data')
  logger.error({ client_secret: canary, err: Object.assign(new Error('readable'), { config: canary }) }, `Bearer ${canary}`)
  const text = String(await written)
  t.notMatch(text, canary)
  t.match(text, /ERROR.*: Bearer \[redacted\][^]*readable/)
  t.throws(() => JSON.parse(text), SyntaxError)
})

t.test('Fastify logs its requests through it without headers', async t => {
  const { logger, lines, text } = recordingLogger()
  const server = fastify({ loggerInstance: logger })
  t.teardown(() => server.close())
  server.get('/fail', async () => { throw Object.assign(new Error('refused'), { config: canary }) })
  const answer = await server.inject({ url: '/fail', headers: { 'x-api-key': canary, authorization: `Bearer ${canary}` } })
  t.equal(answer.statusCode, 500)
  t.notMatch(text(), canary)
  const entries = lines.map((line): Record<string, unknown> => JSON.parse(line))
  t.match(entries.find(entry => entry.msg === 'incoming request'), { req: { method: 'GET', url: '/fail' }, reqId: String })
  t.match(entries.find(entry => entry.msg === 'request completed'), { res: { statusCode: 500 } })
  t.match(entries.find(entry => entry.err !== undefined), { err: { message: 'refused', stack: /logger\.test/ } })
})
