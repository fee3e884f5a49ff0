// PostgreSQL's own floor: the two commits of a create as the store sends them, by raw pg and with nothing around them.
// For each line `<concurrency> <milliseconds>` on stdin it works that long and answers with a line of JSON: pairs of commits, elapsed time.
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { runLoad } from '../load.ts'
import { reserveStatement, saveStatement } from '../../src/store/registration-statements.ts'
import { auditJson, credentialsJson, newRegistrationJson, registrationJson } from '../../src/store/row-json.ts'
import { activeRegistration, auditEntry, newRegistration } from './sample-registration.ts'
import { given } from './serving.ts'

/** The broker's defaults. */
const TIMES = { leaseMs: 15_000, attemptTimeoutMs: 3_000 }
const REDELIVERY_WINDOW_MS = 120_000
const CONNECTIONS = 20

type Statement = ReturnType<typeof reserveStatement>

const pool = new pg.Pool({ connectionString: given('DATABASE_URL'), max: CONNECTIONS })
const [providerId, strategyId, callerId] = [randomUUID(), randomUUID(), randomUUID()]
await pool.query(`INSERT INTO provider (id, name, origin, issuer, tenant_id, initial_client_id)
  VALUES ($1, 'default', 'environment', 'https://issuer.test', $2, $2)`, [providerId, randomUUID()])
await pool.query(`INSERT INTO auth_strategy (id, provider_id, name, origin, is_default, issuer, token_version)
  VALUES ($1, $2, 'default', 'environment', true, 'https://issuer.test', 1)`, [strategyId, providerId])
await pool.query("INSERT INTO caller (id, kind, name, origin, key_digest, provider_id) VALUES ($1, 'konnect', 'bench', 'environment', '\\x00', $2)", [callerId, providerId])
const texts = new Map<string, string>()

for await (const line of createInterface({ input: process.stdin })) {
  const [concurrency = 1, durationMs = 0] = line.split(' ').map(Number)
  const { latenciesMs, elapsedMs } = await runLoad(register, concurrency, { durationMs })
  console.log(JSON.stringify({ requests: latenciesMs.length, elapsedMs }))
}
await pool.end()

async function register (): Promise<void> {
  const entry = newRegistration({ providerId, strategyId, callerId })
  await run('reserve', reserveStatement(
    entry, newRegistrationJson(entry), auditJson([auditEntry(entry, 'registration.reserved')]), null, REDELIVERY_WINDOW_MS, TIMES))
  const registration = activeRegistration(entry)
  await run('activate', saveStatement({
    id: entry.id,
    token: 1n,
    registration: registrationJson(registration),
    credentials: credentialsJson(registration.credentials),
    events: '[]',
    audit: auditJson([auditEntry(entry, 'registration.activated')]),
    disposition: 'release',
    dueInMs: null,
    voidsAnswers: null
  }, REDELIVERY_WINDOW_MS, TIMES))
}

// Named, as the broker's are: parsed and planned once per connection.
async function run (name: string, statement: Statement): Promise<void> {
  const text = texts.get(name) ?? statement.text
  texts.set(name, text)
  const { rowCount } = await pool.query({ name, text, values: statement.values })
  if (rowCount !== 1) throw new Error(`${name} has changed ${rowCount} rows`)
}
