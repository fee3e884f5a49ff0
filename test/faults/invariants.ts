// The invariants I1 to I6, looked up from outside after a scenario: in Entra, in the database, in the logs, in the answers.
//   I1  at most one live application a registration
//   I2  every application of this installation has a living row, or waits in the bin for the purge of its row
//   I3  every delivered secret works or is recorded as revoked; no password of ours is in Entra that no row knows
//   I4  no secret in logs, database and refusals
//   I5  every success answer has its mapping: the row, and the application that it names
//   I6  every call has ended, in time
import type { Simulator } from '../../src/simulator/simulator.ts'
import { ourApplications, ourDeletedObjects, ourPasswords, registrationIdOf, secretWorks, type EntraApplication } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { databaseHaystacks, searchLeaks, type Haystack } from '../support/leak-search.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { Ledger } from './ledger.ts'

export interface World {
  simulator: Simulator
  database: TestDatabase
  /** What callers have asked for and received. Without it I3 to I6 know of no caller. */
  ledger?: Ledger
  /** Lines of a replica's log, or of each of them. */
  logLines?: readonly string[]
  logs?: ReadonlyArray<readonly string[]>
  /** Further secrets that must stand nowhere, by a name that may be printed. */
  secrets?: ReadonlyMap<string, string>
  /** The setting of the brokers; 8 s unless given. */
  deadlineMs?: number
  /** For the way there and back on a busy machine; 4 s unless given. */
  marginMs?: number
}

interface RegistrationRow {
  id: string
  state: string
  object_id: string | null
  client_id: string | null
  adopted: boolean
  purge_at: Date | null
  purge_denied: boolean
  credentials: Array<{ state: string, key_id: string | null, hint: string | null }>
}

/** What is due later than this is not waited for: the second look at an ended row, the purge of a deleted one. */
const SOON_MS = 60_000
/** A secret is searched for in fifteen encodings; of many a sample is, and all of them in their plain form. */
const SECRETS_SEARCHED = 200
/** How Entra's secrets look, here shortened: also those of which no caller ever heard. */
const SECRET_FORM = /(?<![\w.])[\w.]{3}~[\w.]{16,40}(?![\w.])/
const LIVING = ['active', 'disabled']

/** Waits until the broker has nothing left to do, then looks. Sentences; none when all is well. */
export async function violationsAtRest (world: World, withinMs = 40_000): Promise<string[]> {
  await rest(world, withinMs)
  return await violations(world)
}

/** No row is due soon, no window is open, nobody holds a lease. */
export async function rest ({ database }: Pick<World, 'database'>, withinMs = 40_000): Promise<void> {
  await eventually('the broker is at rest', async () => (await database.query(`
    SELECT FROM registration WHERE due_at < now() + $1 * interval '1 millisecond' OR redeliver_until IS NOT NULL OR lease_until > now()
      OR state NOT IN ('active', 'disabled', 'drifted', 'deleted', 'undone') LIMIT 1`, [SOON_MS])).rowCount === 0, withinMs)
}

export async function violations (world: World): Promise<string[]> {
  const rows = await readRows(world.database)
  const applications = await ownApplications(world)
  return [
    ...oneApplicationEach(applications),
    ...livingRows(world, applications, rows),
    ...knownPasswords(world, applications, rows),
    ...await heldSecrets(world, rows),
    ...await leaks(world),
    ...mappings(world, applications, rows),
    ...times(world)
  ]
}

function oneApplicationEach (applications: EntraApplication[]): string[] {
  const ids = applications.map(registrationIdOf)
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))].map(id => `I1: two live applications of ${id}`)
}

function livingRows ({ simulator }: World, applications: EntraApplication[], rows: RegistrationRow[]): string[] {
  const rowOf = (application: EntraApplication) => rows.find(({ id }) => id === registrationIdOf(application))
  const orphans = applications.filter(application => !LIVING.includes(rowOf(application)?.state ?? ''))
    .map(application => `I2: an orphan of ${registrationIdOf(application)}, whose row is ${rowOf(application)?.state ?? 'not there'}`)
  const waits = (row?: RegistrationRow) => row?.purge_denied === true || (row?.state === 'deleted' && row.purge_at !== null)
  const leftInBin = ourDeletedObjects(simulator).filter(object => !waits(rowOf(object)))
    .map(object => `I2: a deleted object of ${registrationIdOf(object)} that nobody will purge`)
  return [...orphans, ...leftInBin]
}

/** Both ways: what Entra has and no row knows, and what a row counts on and Entra has not. */
function knownPasswords ({ simulator, ledger = new Ledger() }: World, applications: EntraApplication[], rows: RegistrationRow[]): string[] {
  const found: string[] = []
  const known = new Set(rows.flatMap(row => row.credentials.filter(({ state }) => ['active', 'revoking'].includes(state)).map(({ key_id: keyId }) => keyId)))
  for (const application of simulator.control.state().applications as EntraApplication[]) {
    for (const { keyId } of ourPasswords(application)) if (!known.has(keyId)) found.push(`I3: a password of ours that no row knows, ${keyId} at ${application.appId}`)
  }
  for (const row of ownLiving(rows, ledger)) {
    const there = applications.find(({ appId }) => appId === row.client_id)?.passwordCredentials.map(({ keyId }) => keyId) ?? []
    const missing = row.credentials.filter(({ state, key_id: keyId }) => state === 'active' && !there.includes(keyId ?? ''))
    found.push(...missing.map(({ key_id: keyId }) => `I3: the active secret ${keyId} of ${row.id} is not in Entra`))
  }
  return found
}

async function heldSecrets ({ simulator, ledger = new Ledger() }: World, rows: RegistrationRow[]): Promise<string[]> {
  const found: string[] = []
  for (const delivered of ledger.delivered()) {
    const { clientId, secret, secretId } = delivered
    const row = rows.find(({ client_id: id }) => id === clientId)
    if (row === undefined) continue
    const isIt = ({ key_id: keyId, hint }: RegistrationRow['credentials'][number]) => secretId === null ? hint === secret.slice(0, 3) : keyId === secretId
    const states = row.credentials.filter(isIt).map(({ state }) => state)
    const works = await secretWorks(simulator, clientId, secret)
    const isEnded = ['deleting', 'deleted', 'drifted', 'disabled'].includes(row.state)
    const isRevoked = states.includes('revoked') || states.includes('revoking')
    const name = `the secret ${secret.slice(0, 3)}… of ${clientId}`
    if (works && states.includes('revoked') && !states.includes('active')) found.push(`I3: ${name} is recorded as revoked and works`)
    if (works && row.state === 'deleted') found.push(`I3: ${name} works although its client is deleted`)
    if (works || ledger.wasChangedInPortal(clientId)) continue
    if (!isEnded && !isRevoked) found.push(`I3: ${name} does not work and is recorded as ${states.join() || 'nothing'}, its client as ${row.state}`)
    else if (!isEnded && !ledger.mayHaveEnded(delivered)) found.push(`I3: ${name} was revoked although nobody asked for it`)
  }
  return found
}

async function leaks ({ simulator, database, ledger = new Ledger(), logLines = [], logs = [], secrets = new Map() }: World): Promise<string[]> {
  const delivered = ledger.delivered().map(({ clientId, secret }): [string, string] => [`a secret of ${clientId}`, secret])
  const tokens = ledger.calls.map(({ answer }) => answer?.body?.registration_access_token).filter(token => typeof token === 'string')
    .map((token, index): [string, string] => [`registration access token ${index}`, token])
  const callers = [...delivered, ...tokens]
  const every = Math.max(1, Math.ceil(callers.length / SECRETS_SEARCHED))
  const wanted = new Map([['the broker\'s own secret', simulator.broker.clientSecret], ...secrets, ...callers.filter((_secret, index) => index % every === 0)])
  const refusals = ledger.calls.filter(({ answer }) => answer !== null && answer.status >= 400)
    .map(({ method, path, answer }): Haystack =>
      ({ name: `the refusal of ${method} ${path}`, bytes: Buffer.from(JSON.stringify([answer?.body, [...answer?.headers ?? []]])) }))
  const haystacks = [{ name: 'a log', bytes: Buffer.from([logLines, ...logs].flat().join('\n')) }, ...refusals, ...await databaseHaystacks(database)]
  const formed = haystacks.filter(({ bytes }) => SECRET_FORM.test(bytes.toString())).map(({ name }) => `I4: something that looks like a secret stands in ${name}`)
  return [...formed, ...searchLeaks(wanted, haystacks).map(({ secret, encoding, where }) => `I4: ${secret} stands in ${where} (${encoding})`)]
}

function mappings ({ ledger = new Ledger() }: World, applications: EntraApplication[], rows: RegistrationRow[]): string[] {
  const found: string[] = []
  for (const clientId of new Set(ledger.created())) {
    const row = rows.find(({ client_id: id }) => id === clientId)
    const ending = ledger.ending(clientId)
    if (row === undefined) found.push(`I5: the client ${clientId} was answered and has no row`)
    else if (ending === 'no' && ![...LIVING, 'drifted'].includes(row.state)) found.push(`I5: the client ${clientId} was answered and is ${row.state}`)
    else if (ending === 'answered' && !['deleting', 'deleted'].includes(row.state)) found.push(`I5: the client ${clientId} was deleted and is ${row.state}`)
  }
  for (const row of ownLiving(rows, ledger)) {
    const isThere = applications.some(({ id, appId }) => id === row.object_id && appId === row.client_id)
    if (!isThere) found.push(`I5: no application for the ${row.state} row ${row.id}`)
  }
  return found
}

function times ({ ledger = new Ledger(), deadlineMs = 8_000, marginMs = 4_000 }: World): string[] {
  return ledger.calls.flatMap(({ method, path, startedAtMs, endedAtMs }) => {
    if (endedAtMs === null) return [`I6: ${method} ${path} has not ended`]
    const tookMs = Math.round(endedAtMs - startedAtMs)
    return tookMs > deadlineMs + marginMs ? [`I6: ${method} ${path} took ${tookMs} ms`] : []
  })
}

/** The rows whose application must be there as the broker made it. */
function ownLiving (rows: RegistrationRow[], ledger: Ledger): RegistrationRow[] {
  return rows.filter(({ state, adopted, client_id: clientId }) => LIVING.includes(state) && !adopted && !ledger.wasChangedInPortal(clientId ?? ''))
}

/** A copied or restored database meets applications of others with our tag: they are not ours. */
async function ownApplications ({ simulator, database }: World): Promise<EntraApplication[]> {
  const { rows: [installation] } = await database.query<{ id: string }>('SELECT id FROM installation')
  return ourApplications(simulator).filter(({ tags }) => tags.includes(`dcr-inst:${installation?.id}`))
}

async function readRows (database: TestDatabase): Promise<RegistrationRow[]> {
  const { rows } = await database.query<RegistrationRow>(`
    SELECT r.id, r.state, r.object_id, r.client_id, r.adopted_at IS NOT NULL AS adopted, r.purge_at,
      EXISTS (SELECT FROM audit_event a WHERE a.registration_id = r.id AND a.action = 'registration.purge_denied') AS purge_denied,
      coalesce((SELECT json_agg(json_build_object('state', c.state, 'key_id', c.key_id, 'hint', c.hint)) FROM credential c WHERE c.registration_id = r.id), '[]') AS credentials
    FROM registration r`)
  return rows
}
