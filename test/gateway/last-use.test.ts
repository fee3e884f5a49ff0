// Last use: recorded in batches, shown to operators, and a source for the expiry of clients that nobody uses.
import t from 'tap'
import { declareUsageSource } from '../../src/store/usage-administration.ts'
import { commandLine } from '../../src/administration/operator.ts'
import { createUses } from '../../src/gateway/uses.ts'
import { createLogger } from '../../src/logger.ts'
import { StoreUnavailableError } from '../../src/registration/ports.ts'
import { createGatewayStore } from '../../src/store/gateway-store.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { eventually } from '../support/eventually.ts'
import { basic, linkStrategies, startTestGateway, V1_STRATEGY } from '../support/gateway.ts'

t.test('whoever is accepted is noted, and whoever is refused is not', async t => {
  const gateway = await startTestGateway(t)
  await linkStrategies(gateway)
  const [used, refused] = [await gateway.registerClient(V1_STRATEGY), await gateway.registerClient(V1_STRATEGY)]
  const beganAt = new Date()
  t.equal((await gateway.verify(basic({ ...refused, clientSecret: 'wrong' }))).status, 401)
  t.equal((await gateway.verify(basic(used))).status, 200)
  const usedAt = async (clientId: string) =>
    (await gateway.database.query<{ at: Date | null }>('SELECT last_used_at AS at FROM registration WHERE client_id = $1', [clientId])).rows[0]?.at ?? null
  const at = await eventually('the use is written', async () => await usedAt(used.clientId))
  t.ok(at >= beganAt && at <= new Date())
  t.equal(await usedAt(refused.clientId), null)
})

t.test('uses are written in batches, and again when the database was away', async t => {
  const written: Array<ReadonlyMap<string, Date>> = []
  let isAway = false
  const store = {
    recordUses: async (uses: ReadonlyMap<string, Date>) => {
      if (isAway) throw new StoreUnavailableError('away')
      written.push(new Map(uses))
    }
  }
  let now = 0
  const uses = createUses(store, { now: () => new Date(now) }, createLogger({ level: 'silent' }))
  for (let time = 0; time < 100; time++) uses.note(`client ${time % 2}`)
  await uses.flush()
  t.strictSame(written, [new Map([['client 0', new Date(0)], ['client 1', new Date(0)]])], 'one statement for a hundred requests')
  isAway = true
  uses.note('client 0')
  await t.rejects(uses.flush(), StoreUnavailableError)
  now = 1_000
  uses.note('client 1')
  isAway = false
  await uses.flush()
  t.strictSame(written[1], new Map([['client 1', new Date(1_000)], ['client 0', new Date(0)]]))
  await uses.flush()
  t.strictSame(written[2], new Map(), 'that nobody came is a report, too')
})

t.test('who writes the last uses writes also what came while a batch was under way', async t => {
  const batches: Array<{ uses: string[], end: () => void }> = []
  const recordUses = async (uses: ReadonlyMap<string, Date>) => await new Promise<void>(resolve => batches.push({ uses: [...uses.keys()], end: resolve }))
  const uses = createUses({ recordUses }, { now: () => new Date(0) }, createLogger({ level: 'silent' }))
  uses.note('before')
  const regular = uses.flush()
  uses.note('meanwhile')
  const atTheEnd = uses.flush()
  batches[0]?.end()
  await regular
  await new Promise(resolve => setImmediate(resolve))
  batches[1]?.end()
  await atTheEnd
  t.strictSame(batches.map(batch => batch.uses), [['before'], ['meanwhile']])
})

t.test('operators see and filter by it; later reports never take a date back', async t => {
  const gateway = await startTestGateway(t)
  const [used, idle] = [await gateway.registerClient(), await gateway.registerClient()]
  const database = openDatabase({ connectionString: gateway.database.url })
  t.teardown(() => database.close())
  const store = createGatewayStore(database.run, () => performance.now())
  const { body: { data } } = await gateway.operations('GET', `/registrations?filter[client_id]=${used.clientId}`)
  const at = new Date(Date.now() - 60_000)
  await store.recordUses(new Map([[data[0].id, at]]))
  await store.recordUses(new Map([[data[0].id, new Date(at.getTime() - 60_000)]]))
  const shown = await gateway.operations('GET', `/registrations/${data[0].id}`)
  t.equal(shown.body.last_used_at, at.toISOString())
  await store.recordUses(new Map([[data[0].id, new Date(Date.now() + 3_600_000)]]))
  const { body: later } = await gateway.operations('GET', `/registrations/${data[0].id}`)
  t.ok(Date.parse(later.last_used_at) <= Date.now() + 1_000, 'nobody was here in the future')
  t.equal(later.updated_at, data[0].updated_at, 'it is no change of the client')
  const { body: { data: lately } } = await gateway.operations('GET', `/registrations?filter[last_used_at][gte]=${at.toISOString()}`)
  t.strictSame(lately.map((each: { client_id: string }) => each.client_id), [used.clientId])
  t.equal((await gateway.verify(basic(idle))).status, 200)
})

t.test('a provider that has declared the gateways its source of use is told how far the report reaches; others are not', async t => {
  const gateway = await startTestGateway(t)
  const database = openDatabase({ connectionString: gateway.database.url })
  t.teardown(() => database.close())
  const store = createGatewayStore(database.run, () => performance.now())
  const reported = async () => (await gateway.database.query<{ age: number | null }>(
    "SELECT extract(epoch FROM now() - usage_reported_at)::float8 AS age FROM provider WHERE name = 'default'")).rows[0]?.age ?? null
  await store.recordUses(new Map())
  t.equal(await reported(), null, 'nothing is declared')
  await declareUsageSource(database.prisma, commandLine, 'default', 'sign-in logs')
  await store.recordUses(new Map())
  t.equal(await reported(), null, 'somebody else is')
  await declareUsageSource(database.prisma, commandLine, 'default', 'gateway')
  await store.recordUses(new Map())
  const age = await reported()
  t.ok(age !== null && age >= 60 && age < 90, `replicas that have not written yet have a minute for it: ${age} s`)
})
