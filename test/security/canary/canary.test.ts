// Promise 4, as a whole: secrets of every kind through every route, every error path, the background and the command line, then a search for them
// in everything that the broker says and keeps.
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.ts'
import { searchLeaks, type Haystack, type Leak } from '../../support/leak-search.ts'
import { runCommand, runCommands } from './commands.ts'
import { markedMembers } from './documents.ts'
import { askEveryRoute } from './every-route.ts'
import { brokenGraph, brokenPackets, brokenTokenEndpoint, databaseAway, upstreamWords } from './faults.ts'
import { gatewayStory } from './gateway-story.ts'
import { konnectStory, operatorStory, standardStory } from './story.ts'
import { startWatchedBroker, type WatchedBroker } from './watched-broker.ts'

const misplaced = ['wrong key', 'cookie', 'proxy password', 'idempotency key', 'query', 'header', 'path', 'refused body']

t.test('secrets of every kind, at the level trace', async t => {
  const broker = await startWatchedBroker(t, 'trace')
  for (const name of misplaced) broker.canaries.key(name)
  const { clientId } = await konnectStory(broker)
  const holder = await standardStory(broker)
  await operatorStory(t, broker)
  await gatewayStory(broker)
  t.same([...broker.marked].sort(), markedMembers(), 'every member that may hold a secret has held one: a new one gets its place in story.ts')
  const statuses = await askEveryRoute(broker, holder)
  t.ok(statuses.size > 80, `${statuses.size} routes`)
  await brokenPackets(broker)
  await brokenGraph(broker)
  await brokenTokenEndpoint(broker)
  await databaseAway(broker)
  await broker.send({ method: 'DELETE', template: '/konnect/:clientId', params: { clientId }, headers: { 'x-api-key': broker.keys.konnect } })
  await backgroundRounds(broker)
  t.ok(await runCommands(t, broker) >= 12, 'commands that succeed')

  await t.test('S4 none stands in log, answer, trace, metric, audit, output of a command or column', async t => {
    const haystacks = await broker.everything()
    t.comment(`${broker.canaries.secrets.size} secrets, ${broker.logLines.length} log lines, ${broker.failures.length} failures, ${haystacks.length} haystacks`)
    t.ok(broker.canaries.secrets.size > 60)
    t.same(leaksOf(broker, haystacks), [])
  })

  await t.test('S15 no failure tells tenant, upstream words, stack, path, SQL or host', async t => {
    const { simulator, settings, failures } = broker
    const words = [
      ...upstreamWords, simulator.tenantId, simulator.broker.clientId, settings.keyringFile, new URL(settings.database.url).host, new URL(simulator.url).host,
      'SELECT ', 'INSERT ', 'UPDATE ', 'relation "', 'column "'
    ]
    t.ok(failures.length > 500, `${failures.length} failures`)
    t.same(failures.filter(text => words.some(word => text.includes(word))), [])
  })

  await t.test('what is planted in each kind of place is found', async t => await plantAndFind(t, broker))
})

t.test('S4 at the level info it is no different', async t => {
  const broker = await startWatchedBroker(t, 'info')
  await konnectStory(broker)
  await standardStory(broker)
  await gatewayStory(broker)
  await brokenPackets(broker)
  await brokenGraph(broker)
  await brokenTokenEndpoint(broker)
  await databaseAway(broker)
  t.ok(broker.logLines.length > 20)
  t.same(leaksOf(broker, await broker.everything()), [])
})

/** What stands in a path is its caller's: an answer may repeat it to him, in the place of a name that nothing has. */
function leaksOf ({ canaries: { secrets, rawBytes } }: WatchedBroker, haystacks: readonly Haystack[]): Leak[] {
  return searchLeaks(new Map<string, string | Buffer>([...secrets, ...rawBytes]), haystacks)
    .filter(({ secret, where }) => !(secret === 'path' && /^404 to /.test(where)))
}

/** Upkeep and another loop of the background have gone round since. */
async function backgroundRounds ({ operationsUrl }: WatchedBroker): Promise<void> {
  const rounds = async () => {
    const text = await (await fetch(`${operationsUrl}/metrics`)).text()
    return [...text.matchAll(/^dcr_background_rounds_total\{(.*outcome="ok".*)\} (\d+)/gm)].map(([, labels = '', count]) => ({ labels, count: Number(count) }))
  }
  const before = new Map((await rounds()).map(({ labels, count }) => [labels, count]))
  await eventually('the loops go round', async () => {
    const gone = (await rounds()).filter(({ labels, count }) => count > (before.get(labels) ?? 0))
    return gone.length >= 2 && gone.some(({ labels }) => labels.includes('upkeep'))
  }, 30_000)
}

async function plantAndFind (t: Test, broker: WatchedBroker): Promise<void> {
  const { send, keys, canaries, database } = broker
  const control = `control_${randomBytes(12).toString('hex')}`
  const traceId = randomBytes(16).toString('hex')
  const traced = { authorization: `Bearer ${keys.operator}`, traceparent: `00-${traceId}-00f067aa0ba902b7-01` }
  await send({ method: 'POST', template: '/v2/callers', headers: traced, body: { kind: 'operator', name: control } })
  broker.broker.publicServer.log.info({ harmless: control }, 'planted')
  const hidden = Buffer.from(`before ${control} after`).toString('base64')
  await database.query("INSERT INTO audit_event (id, at, actor, action, outcome, detail) VALUES (gen_random_uuid(), now(), 'x', 'x', 'x', $1)", [{ hidden }])
  const [material] = canaries.rawBytes.values()
  for (const [kid, value] of [['a', Buffer.from(control, 'utf16le')], ['b', material]] as const) {
    await database.query("INSERT INTO encryption_key (kid, state, check_value) VALUES ($1, 'known', $2)", [kid, value])
  }
  await runCommand(broker, ['callers', 'list'])
  await eventually('the trace has arrived', () => broker.traces().includes(traceId))

  const planted = new Map<string, string | Buffer>([['text', control], ['trace', traceId], ['label', 'provider="default"'], ...canaries.rawBytes])
  const found = searchLeaks(planted, await broker.everything()).map(({ where, secret }) => `${where}: ${secret}`)
  const places = [
    'log: text', 'traces: trace', '201 to POST /v2/callers: text', 'audit: text', 'metrics: label', 'dcr-broker callers list: text', 'audit_event.detail[',
    'encryption_key.check_value['
  ]
  t.same(places.filter(place => !found.some(each => each.startsWith(place))), [], 'nothing is overlooked')
  t.ok(found.some(each => /^encryption_key.*bytes of keyring/.test(each)), 'bytes are found too')
}
