// What a run keeps in mind, with more rows than one statement looks through: slices end, and nothing is left behind.
import t, { type Test } from 'tap'
import { createReconciliationStore } from '../../src/store/reconciliation-store.ts'
import { emptyReport } from '../../src/reconciliation/notebook.ts'
import { openStore } from './open-store.ts'

t.jobs = 3

const TERMS = { leaseMs: 60_000, isDry: false, notWithinMs: 0 }
const later = new Date(Date.now() + 60_000)

async function openWithActive (t: Test, count: number) {
  const open = await openStore(t)
  const ids: string[] = []
  for (let made = 0; made < count; made++) {
    const held = await open.reserve()
    const { id } = held.registration
    Object.assign(held.registration, { state: 'active', appliedRevision: 1, clientId: id, objectId: id, principalId: id, activatedAt: new Date() })
    await open.store.save(held, { lease: { kind: 'release', dueInMs: null } })
    ids.push(id)
  }
  const store = createReconciliationStore(open.prisma)
  const { rows: [provider] } = await open.database.query<{ id: string }>('SELECT id FROM provider')
  const begin = async () => {
    const run = await store.begin(provider?.id ?? '', TERMS)
    if (run === null) throw new Error('Another run is under way')
    return run
  }
  const sights = async () => (await open.database.query('SELECT FROM reconciliation_sight')).rows.length
  return { ...open, runs: store, begin, ids: ids.toSorted(), sights }
}

t.test('rows are looked through in slices, each once, and those that were not seen come out', async t => {
  const { runs, begin, ids } = await openWithActive(t, 7)
  const run = await begin()
  const unseen = [ids[0], ids[4], ids[6]]
  await runs.see(run, ids.filter(id => !unseen.includes(id)))
  const slices: string[][] = []
  let after: string | null = null
  do {
    const slice: Awaited<ReturnType<typeof runs.unseenRows>> = await runs.unseenRows(run, later, after, 3)
    slices.push(slice.rows.map(({ registrationId }) => registrationId))
    after = slice.next
  } while (after !== null)
  t.same(slices, [[ids[0]], [ids[4]], [ids[6]]])
})

t.test('a slice without anything unseen does not end the walk, and the last one does', async t => {
  const { runs, begin, ids } = await openWithActive(t, 4)
  const run = await begin()
  await runs.see(run, ids.slice(0, 3))
  const first = await runs.unseenRows(run, later, null, 2)
  t.same(first, { rows: [], next: ids[1] })
  const second = await runs.unseenRows(run, later, first.next, 2)
  t.match(second, { rows: [{ registrationId: ids[3], clientId: ids[3], objectId: ids[3] }], next: ids[3] })
  t.same(await runs.unseenRows(run, later, second.next, 2), { rows: [], next: null })
})

t.test('what is too young, ended, adopted or another provider\'s is not missed', async t => {
  const { runs, begin, ids, database } = await openWithActive(t, 4)
  await database.query("UPDATE registration SET state = 'deleted' WHERE id = $1", [ids[0]])
  await database.query('UPDATE registration SET adopted_at = now() WHERE id = $1', [ids[1]])
  await database.query("UPDATE registration SET activated_at = now() + interval '1 hour' WHERE id = $1", [ids[2]])
  const { rows } = await runs.unseenRows(await begin(), later, null, 10)
  t.same(rows.map(({ registrationId }) => registrationId), [ids[3]])
})

t.test('whichever way a run ends, what it has seen is forgotten; what the next one has seen is not', async t => {
  const { runs, begin, ids, sights } = await openWithActive(t, 3)
  for (const end of ['finish', 'fail', 'finishDry'] as const) {
    const run = await begin()
    await runs.see(run, ids)
    t.equal(await sights(), 3)
    if (end === 'finish') await runs.finish(run, emptyReport(), null)
    if (end === 'fail') await runs.fail(run, 'internal')
    if (end === 'finishDry') await runs.finishDry(run, { at: new Date(), wouldHold: false, report: emptyReport(), findings: [] })
    t.equal(await sights(), 0, end)
  }
})

t.test('a run that was killed leaves nothing to the next one, and one that comes late takes nothing from it', async t => {
  const { runs, begin, ids, sights, database } = await openWithActive(t, 3)
  const killed = await begin()
  await runs.see(killed, ids)
  await database.query('UPDATE reconciliation SET running_until = now() - interval \'1 second\'')
  const next = await begin()
  t.equal(await sights(), 0)
  await runs.see(next, ids)
  await runs.fail(killed, 'interrupted')
  t.equal(await sights(), 3)
})
