// Rolling over: what an earlier release has left is carried on by this one, and its code, still running beside this one, works on the new schema.
import pg from 'pg'
import t from 'tap'
import { tablesOf } from '../../scripts/table-rows.ts'
import { applyMigrations } from '../../src/store/migrations.ts'
import { startTestBroker } from '../support/broker.ts'
import { ourApplications, secretWorks } from '../support/entra-truth.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { keyringOf, parametersOf, readStatements, readStory, RELEASES, restoreRelease } from '../support/release-fixtures.ts'
import { breaches, catalogueOf } from '../support/schema-catalogue.ts'

const WRITE = /\b(INSERT INTO|UPDATE|DELETE FROM)\b/

/** They note that something has changed, and refuse nothing: what an older release sends goes over them below. */
const noting = ['credential.client_change', 'registration.client_change_by_removal', 'credential.client_change_by_removal', 'registration.client_change', 'registration_event.client_change']

for (const release of RELEASES) {
  t.test(`the migrations lose nothing that ${release} has written`, async t => {
    const { url, query } = await restoreRelease(t, release)
    const tables = await tablesOf(query)
    const before = await rowsOf(query, tables)
    for (const table of tables) t.ok(before[table]?.length, `the fixture has a row of ${table}`)
    await applyMigrations({ connectionString: url })
    t.match(await rowsOf(query, tables), before)
    t.same((await applyMigrations({ connectionString: url })).applied, [])
  })

  t.test(`this release serves what ${release} has registered: reads, rotates and ends it, and opens what was sealed`, async t => {
    const database = await restoreRelease(t, release)
    await applyMigrations({ connectionString: database.url })
    const story = await readStory(release)
    const { konnect, manage, simulator, broker } = await startTestBroker(t, {
      database, simulator: { state: story.entra }, environment: { ENCRYPTION_KEYRING_FILE: await keyringOf(t, story) }
    })
    await broker.started
    const { konnect: bridged, registered } = story.clients
    t.match(await manage('GET', registered.registration_client_uri, registered.registration_access_token), {
      status: 200, body: { client_id: registered.client_id, client_secret: registered.client_secret }
    })
    t.ok(await secretWorks(simulator, bridged.client_id, bridged.client_secret))
    const rotated = await konnect('POST', `/${bridged.client_id}/new-secret`)
    t.equal(rotated.status, 200)
    t.ok(await secretWorks(simulator, bridged.client_id, rotated.body.client_secret))
    t.notOk(await secretWorks(simulator, bridged.client_id, bridged.client_secret))
    t.equal((await manage('DELETE', registered.registration_client_uri, registered.registration_access_token)).status, 204)
    t.equal((await konnect('DELETE', `/${bridged.client_id}`)).status, 204)
    t.strictSame(ourApplications(simulator), [])
  })

  t.test(`the schema only adds to that of ${release}`, async t => {
    const older = await catalogueOf((await restoreRelease(t, release, { withData: false })).query)
    const newer = await catalogueOf((await createTestDatabase(t)).query)
    t.strictSame(breaches(older, newer).filter(breach => !noting.some(name => breach === `the trigger ${name} is new or another`)), [])
    for (const name of noting) t.match(newer.triggers.get(name)?.definition, /^CREATE TRIGGER \S+ AFTER /, `${name} changes nothing of what is written`)
  })

  t.test(`every statement that ${release} sends is understood, and what it wrote it still writes`, async t => {
    const { url } = await restoreRelease(t, release)
    await applyMigrations({ connectionString: url })
    const { texts, executions } = await readStatements(release)
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    t.teardown(() => client.end())
    for (const [index, text] of texts.entries()) await t.resolves(client.query(`PREPARE "${index}" AS ${text}`), text)
    let writes = 0
    for (const execution of executions) {
      const text = texts[execution.statement] ?? ''
      const { rowCount } = await client.query({ text, values: parametersOf(execution) })
      if (!WRITE.test(text) || execution.rows === 0) continue
      writes += 1
      t.equal(rowCount, execution.rows, text)
    }
    t.ok(writes > 20, `${writes} writes`)
  })
}

t.test('a change that older code could not live with is found, and one that only adds is none', async t => {
  const older = await catalogueOf((await createTestDatabase(t)).query)
  const changes: Array<[statement: string, breach: RegExp | null]> = [
    ['ALTER TABLE credential DROP COLUMN hint', /column credential\.hint is gone/],
    ['ALTER TABLE credential RENAME COLUMN hint TO head', /column credential\.hint is gone/],
    ['ALTER TABLE policy ALTER COLUMN name TYPE varchar(20)', /column policy\.name is character varying\(20\)/],
    ['ALTER TABLE credential ALTER COLUMN hint SET NOT NULL', /credential\.hint can't be null/],
    ['ALTER TABLE registration ALTER COLUMN delivery DROP DEFAULT', /registration\.delivery has lost its default/],
    ['ALTER TABLE policy ADD COLUMN owner text NOT NULL', /new column policy\.owner must be given/],
    ['ALTER TABLE policy ADD CONSTRAINT short CHECK (length(name) < 10)', /new constraint policy\.short/],
    ['CREATE UNIQUE INDEX once ON caller (name)', /new index once is unique/],
    ['DROP INDEX audit_seal_event_id_key', /index audit_seal_event_id_key is gone/],
    ['DROP TABLE adoption_permit', /column adoption_permit\.\w+ is gone/],
    ['CREATE TRIGGER keep BEFORE DELETE ON policy EXECUTE FUNCTION refuse_change()', /trigger policy\.keep is new/],
    ['ALTER TABLE policy ADD COLUMN note text, ADD COLUMN weight int NOT NULL DEFAULT 1', null],
    ['ALTER TABLE policy ADD COLUMN code text; CREATE UNIQUE INDEX by_code ON policy (code)', null],
    ['CREATE TABLE novelty (id int PRIMARY KEY, policy_id uuid NOT NULL REFERENCES policy)', null]
  ]
  const { url } = await createTestDatabase(t)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  for (const [statement, breach] of changes) {
    await client.query('BEGIN')
    await client.query(statement)
    const found = breaches(older, await catalogueOf(async sql => await client.query(sql)))
    await client.query('ROLLBACK')
    if (breach === null) t.strictSame(found, [], statement)
    else t.match(found.join('\n'), breach, statement)
  }
})

async function rowsOf (query: TestDatabase['query'], tables: string[]): Promise<Record<string, object[]>> {
  const entries = tables.map(async table => [table, (await query<{ row: object }>(`SELECT to_jsonb(t) AS row FROM "${table}" AS t ORDER BY t::text`)).rows.map(({ row }) => row)] as const)
  return Object.fromEntries(await Promise.all(entries))
}
