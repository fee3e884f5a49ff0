// Lists stay cheap however many registrations there are: what is measured is the SQL that is really sent.
import { PrismaPg } from '@prisma/adapter-pg'
import t from 'tap'
import { MAX_NUMBERED_ROW } from '../../src/listing/query.ts'
import { createRegistrationsReader } from '../../src/registration/browse.ts'
import { PrismaClient } from '../../src/store/generated/client.ts'
import { createRegistrationBrowser } from '../../src/store/registration-browser.ts'
import { createRecords, operator } from './operations-server.ts'

const rowsBefore = 15_000
const sort = { field: 'createdAt', descending: true } as const

t.test('a page behind a cursor reads its own rows from the index of the list, not the rows before it', async t => {
  const { database, add } = await createRecords(t)
  const { id } = await add()
  await multiply(database.query, 20_000)
  const { prisma, sent } = await listeningClient(database.url)
  t.teardown(async () => await prisma.$disconnect())

  const after = { value: new Date(Date.now() - rowsBefore * 60_000), id }
  const page = await createRegistrationsReader(createRegistrationBrowser(prisma)).list({ filters: [], sort, size: 10, start: { after } }, operator)
  t.equal(page.rows.length, 10)
  t.equal(page.total, MAX_NUMBERED_ROW + 1, 'counting ends where numbered pages do')
  t.not(page.next, null)

  const select = sent.find(({ sql }) => /ORDER BY \S+"created_at" DESC/.test(sql))
  const { rows } = await database.query<{ 'QUERY PLAN': Array<{ Plan: PlanNode }> }>(`EXPLAIN (ANALYZE, FORMAT JSON) ${select?.sql}`, select?.params)
  const scan = nodesOf(rows[0]?.['QUERY PLAN'][0]?.Plan ?? {}).find(node => node['Relation Name'] === 'registration')
  t.match(scan, { 'Index Name': 'registration_list', 'Index Cond': /created_at <=/ })
  t.ok((scan?.['Actual Rows'] ?? Infinity) <= 11)
  t.ok((scan?.['Rows Removed by Filter'] ?? 0) <= 1)
})

t.test('a numbered page that ends beyond the last numbered row is refused by the use case too', async t => {
  const { reader } = await createRecords(t)
  await t.rejects(reader.list({ filters: [], sort, size: 100, start: { number: 101 } }, operator), RangeError)
})

interface PlanNode { Plans?: PlanNode[], 'Relation Name'?: string, 'Index Name'?: string, 'Actual Rows'?: number, 'Rows Removed by Filter'?: number }

function nodesOf (node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}

/** Copies of the only registration, one a minute. */
async function multiply (query: (sql: string, params?: unknown[]) => Promise<unknown>, count: number): Promise<void> {
  const kept = ['strategy_id', 'provider_id', 'caller_id', 'surface', 'state', 'metadata', 'client_name', 'display_name', 'tags', 'access_token_version',
    'web_redirect_uris', 'public_redirect_uris', 'spa_redirect_uris'].join(', ')
  await query(`INSERT INTO registration (id, created_at, ${kept}) SELECT gen_random_uuid(), now() - n * interval '1 minute', ${kept} FROM registration, generate_series(1, $1::int) n`, [count])
  await query('ANALYZE registration')
}

async function listeningClient (connectionString: string) {
  const sent: Array<{ sql: string, params: unknown[] }> = []
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString }), log: [{ emit: 'event', level: 'query' }] })
  prisma.$on('query', ({ query, params }) => { sent.push({ sql: query, params: JSON.parse(params) as unknown[] }) })
  return { prisma, sent }
}
