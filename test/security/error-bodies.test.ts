// What a failure tells its caller: the surface's code and a sentence of ours, whatever the failure came from.
import { fastify } from 'fastify'
import t from 'tap'
import { AdministrationError, type AdministrationErrorCode } from '../../src/administration/errors.ts'
import { GatewayRefusal, sendGatewayFailure } from '../../src/http/gateway/errors.ts'
import { sendKonnectError, ROWS as KONNECT_ROWS } from '../../src/http/konnect/errors.ts'
import { ADMINISTRATION_STATUSES, sendProblem, STATUSES } from '../../src/http/operations/problems.ts'
import { ROWS as REGISTER_ROWS, sendRegistrationFailure } from '../../src/http/register/errors.ts'
import { HttpFailure } from '../../src/entra/http.ts'
import { RegistrationError, type RegistrationErrorCode } from '../../src/registration/errors.ts'
import { DirectoryError, StoreUnavailableError, VaultError, type DirectoryFault } from '../../src/registration/ports.ts'

/** What stands in errors of Graph, PostgreSQL, Node and the keyring, and in their stacks. */
const inside = 'tenant 01a20951-aaaa-4000-8000-000000000001 AADSTS7000215 SELECT "secret" FROM credential db.internal:5432 /etc/broker/keyring.json'
const marks = ['01a20951-aaaa', 'AADSTS', 'SELECT', 'db.internal', '5432', '/etc/', 'keyring.json', 'node_modules', '.test.', ' at ', 'Error:']

const faults: Record<DirectoryFault, true> = {
  replicating: true,
  conflicting: true,
  throttled: true,
  unavailable: true,
  missing: true,
  unauthenticated: true,
  denied: true,
  policy: true,
  quota: true,
  rejected: true
}
const cause = Object.assign(new Error(inside, { cause: new HttpFailure('ECONNREFUSED', false, new Error(inside)) }), { detail: inside, stack: `Error: ${inside}\n    at /etc/x.js:1:1` })

/** As the adapters throw them, and everything that nobody foresaw. */
const thrown: ReadonlyArray<readonly [string, unknown]> = [
  ...(Object.keys(faults) as DirectoryFault[]).map(fault =>
    [fault, new DirectoryError(fault, inside, { cause, retryAfterMs: 1_000, diagnostics: { reason: inside, requestId: '5432' } })] as const),
  ...(Object.keys(KONNECT_ROWS) as RegistrationErrorCode[]).map(code => [code, new RegistrationError(code, 'A sentence for the caller.', { cause })] as const),
  ['the database', new StoreUnavailableError(inside, { cause })],
  ['the vault', new VaultError(inside)],
  ['an error', cause],
  ['an error with a status', Object.assign(new Error(inside), { statusCode: 502 })],
  ['an error that blames the caller', Object.assign(new Error(inside), { statusCode: 418 })],
  ['an error with an unknown code', Object.assign(new Error(inside), { code: 'P2002', statusCode: 400 })],
  ['a type error', new TypeError(inside)],
  ['several', new AggregateError([cause], inside)]
]

/** What each answers, and an error whose words are for the caller. */
const forTheCaller = new RegistrationError('invalid_request', inside)
const surfaces = {
  konnect: { handler: sendKonnectError, told: forTheCaller },
  register: { handler: sendRegistrationFailure, told: forTheCaller },
  operations: { handler: sendProblem, told: forTheCaller },
  gateway: { handler: sendGatewayFailure, told: new GatewayRefusal(400, 'invalid_request', inside) }
}

for (const [surface, { handler, told }] of Object.entries(surfaces)) {
  t.test(`S15 no failure of ${surface} tells tenant, upstream text, stack, path, SQL or host`, async t => {
    const server = fastify()
    t.teardown(() => server.close())
    server.setErrorHandler(handler as typeof sendKonnectError)
    let error: unknown
    server.get('/', async () => { throw error })
    for (const [name, each] of thrown) {
      error = each
      const { statusCode, body, headers } = await server.inject('/')
      const said = `${JSON.stringify(headers)}${body}`
      t.ok(statusCode >= 400, name)
      t.same(marks.filter(mark => said.includes(mark)), [], `${name}: ${body}`)
    }
    // The search can find: what is for the caller does arrive.
    error = told
    t.match((await server.inject('/')).body, /01a20951-aaaa/)
  })
}

t.test('S15 the tables of all surfaces answer the same codes, and administration has its own', async t => {
  t.same(Object.keys(REGISTER_ROWS).sort(), Object.keys(KONNECT_ROWS).sort())
  t.same(Object.keys(STATUSES).sort(), Object.keys(KONNECT_ROWS).sort())
  const server = fastify()
  t.teardown(() => server.close())
  server.setErrorHandler(sendProblem)
  let error = new Error()
  server.get('/', async () => { throw error })
  for (const code of Object.keys(ADMINISTRATION_STATUSES) as AdministrationErrorCode[]) {
    error = Object.assign(new AdministrationError('A sentence.', code), { cause, detail: inside })
    const { body, statusCode } = await server.inject('/')
    t.equal(statusCode, ADMINISTRATION_STATUSES[code])
    t.same(marks.filter(mark => body.includes(mark)), [], body)
  }
})
