// The chain over the audit: sealed in order, one sealer over all replicas, and no change goes unseen.
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import { verifyAudit, type VerifyOptions } from '../../src/administration/audit.ts'
import { createAuditSealer } from '../../src/administration/audit-sealer.ts'
import { createAuditChainStore } from '../../src/store/audit-chain-store.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { systemClock } from '../../src/system-clock.ts'
import { createEnvelopeVault } from '../../src/vault/envelope-vault.ts'
import { runHere } from '../cli/run-cli.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { eventually } from '../support/eventually.ts'
import { keyringFile, keyringOf, writeKeyring } from '../vault/keyring-fixture.ts'

const never = new AbortController().signal

async function openChain (t: Test, keyring = keyringFile()) {
  const database = await createTestDatabase(t)
  const { prisma, close } = openDatabase({ connectionString: database.url, maxConnections: 3 })
  t.teardown(close)
  const { query } = database
  const store = createAuditChainStore(prisma)
  const macs = createEnvelopeVault(keyringOf(keyring))
  const sealer = createAuditSealer(store, macs, systemClock)
  const sealed = async () => Number((await query<{ count: string }>('SELECT count(*) FROM audit_seal')).rows[0]?.count)
  return {
    database,
    store,
    macs,
    sealer,
    sealed,
    add: async (count: number, age = '0 s') => await query(`
      INSERT INTO audit_event (id, at, actor, action, outcome, registration_id, request_id, source_address, detail)
      SELECT gen_random_uuid(), now() - $2::interval, 'somebody', 'thing.done', 'succeeded', gen_random_uuid(), 'r' || n, '192.0.2.1', '{"b": [1.5, null], "a": {"d": 1, "c": "é"}}'
      FROM generate_series(1, $1::int) n`, [count, age]),
    // Whatever else runs on this server may hold a transaction open: then the events behind it wait.
    sealAll: async (count: number) => await eventually(`${count} events are sealed`, async () => {
      await sealer.seal(never)
      return await sealed() === count
    }),
    verify: async (options: VerifyOptions = {}, under = macs) => await verifyAudit(store, under, options),
    /** As a superuser can who wants to. */
    async tamper (...statements: string[]) {
      for (const table of ['audit_event', 'audit_seal']) await query(`ALTER TABLE ${table} DISABLE TRIGGER USER`)
      for (const statement of statements) await query(statement)
      for (const table of ['audit_event', 'audit_seal']) await query(`ALTER TABLE ${table} ENABLE TRIGGER USER`)
    }
  }
}

async function sealedChain (t: Test, count = 6) {
  const chain = await openChain(t)
  await chain.add(count)
  await chain.sealAll(count)
  return chain
}

t.test('events can neither be changed nor removed, by trigger and by grant', async t => {
  const { database: { query } } = await sealedChain(t, 1)
  for (const table of ['audit_event', 'audit_seal']) {
    for (const statement of [`UPDATE ${table} SET ${table === 'audit_event' ? 'actor = \'nobody\'' : 'seq = 7'}`, `DELETE FROM ${table}`, `TRUNCATE ${table} CASCADE`]) {
      await t.rejects(query(statement), { code: '42501', message: /append-only/ }, statement)
    }
    const { rows } = await query<{ privilege_type: string }>(`SELECT privilege_type FROM pg_class, aclexplode(relacl) WHERE oid = '${table}'::regclass`)
    const granted = rows.map(row => row.privilege_type)
    t.ok(granted.includes('INSERT'))
    for (const privilege of ['UPDATE', 'DELETE', 'TRUNCATE']) t.notOk(granted.includes(privilege), `${privilege} on ${table} is granted to nobody`)
  }
})

t.test('a long chain is sealed in batches and verified in pages', async t => {
  const { sealAll, add, verify, sealer } = await openChain(t)
  t.strictSame(await verify(), { verified: 0, head: null, overdue: 0, fault: null })
  await add(2_203)
  await sealAll(2_203)
  const shown: number[] = []
  const verdict = await verify({ progress: done => { shown.push(done) } })
  t.match(verdict, { verified: 2_203, head: { seq: 2_203, mac: /^[0-9a-f]{64}$/ }, overdue: 0, fault: null })
  t.strictSame(shown, [1_000, 2_000, 2_203])
  const checkpoint = sealer.checkpoint()
  t.match(checkpoint, { seq: 2_203, mac: verdict.head?.mac ?? '' })
  t.equal(sealer.checkpoint(), null, 'nothing was sealed since')
})

t.test('what commits late takes its place in the order of transactions, and nothing behind it is sealed before', async t => {
  const { database, sealer, sealed, sealAll, verify } = await openChain(t)
  const insert = (id: string) => `INSERT INTO audit_event (id, at, actor, action, outcome, detail) VALUES ('${id}', now(), 'somebody', 'thing.done', 'succeeded', '{}')`
  const [slow, quick] = [randomUUID(), randomUUID()]
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query('BEGIN')
  await client.query(insert(slow))
  await database.query(insert(quick))
  await sealer.seal(never)
  t.equal(await sealed(), 0)
  await client.query('COMMIT')
  await client.end()
  await sealAll(2)
  const { rows } = await database.query<{ event_id: string }>('SELECT event_id FROM audit_seal ORDER BY seq')
  t.strictSame(rows.map(row => row.event_id), [slow, quick])
  t.match(await verify(), { verified: 2, fault: null })
})

t.test('after a restore into a new cluster, where transaction ids start again, events are sealed once they are an hour old', async t => {
  const { database, add, sealAll, sealer, sealed, tamper, verify } = await sealedChain(t, 2)
  await database.query(`INSERT INTO audit_event (id, at, actor, action, outcome, detail, txid)
    VALUES (gen_random_uuid(), now() - interval '2 hours', 'somebody', 'thing.done', 'succeeded', '{}', 9000000000000000)`)
  await sealAll(3)
  await add(1)
  await sealer.seal(never)
  t.equal(await sealed(), 3, 'what is younger waits')
  await tamper('UPDATE audit_event SET at = at - interval \'1 hour\' WHERE id NOT IN (SELECT event_id FROM audit_seal)')
  t.match(await verify(), { verified: 3, overdue: 1 }, 'an hour later it is overdue')
  await sealAll(4)
  await add(1)
  await sealAll(5)
  t.match(await verify(), { verified: 5, overdue: 0, fault: null }, 'and from then on the new cluster\'s ids count')
})

t.test('of several sealers one is at work at a time, and the chain is one', async t => {
  const { database: { url }, macs, add, sealed, verify } = await openChain(t)
  const sealers = [1, 2, 3].map(() => {
    const { prisma, close } = openDatabase({ connectionString: url, maxConnections: 2 })
    t.teardown(close)
    return createAuditSealer(createAuditChainStore(prisma), macs, systemClock)
  })
  await add(1_400)
  const work = sealers.map(async sealer => {
    await eventually('everything is sealed', async () => {
      await sealer.seal(never)
      return await sealed() === 1_400
    })
  })
  await Promise.all(work)
  t.match(await verify(), { verified: 1_400, fault: null })
})

const seal = (seq: number) => `(SELECT event_id FROM audit_seal WHERE seq = ${seq})`
const tamperings: Array<{ what: string, statements: string[], fault: object }> = [
  { what: 'an event that was edited', statements: [`UPDATE audit_event SET detail = '{}' WHERE id = ${seal(3)}`], fault: { kind: 'altered', seq: 3 } },
  { what: 'an address that was edited', statements: [`UPDATE audit_event SET source_address = NULL WHERE id = ${seal(6)}`], fault: { kind: 'altered', seq: 6 } },
  { what: 'a seal that was edited', statements: ['UPDATE audit_seal SET mac = sha256(mac) WHERE seq = 2'], fault: { kind: 'altered', seq: 2 } },
  { what: 'an event that was deleted', statements: [`DELETE FROM audit_event WHERE id = ${seal(3)}`], fault: { kind: 'deleted', seq: 3 } },
  {
    what: 'an event that was deleted with its seal',
    statements: [`DELETE FROM audit_event WHERE id = ${seal(3)}`, 'DELETE FROM audit_seal WHERE seq = 3'],
    fault: { kind: 'gap', seq: 3, eventId: null }
  },
  { what: 'a gap at the beginning', statements: ['DELETE FROM audit_seal WHERE seq < 3'], fault: { kind: 'gap', seq: 1 } },
  {
    what: 'a gap that was closed by numbers',
    statements: ['DELETE FROM audit_seal WHERE seq = 3', 'UPDATE audit_seal SET seq = 3 WHERE seq = 4', 'UPDATE audit_seal SET seq = 4 WHERE seq = 5'],
    fault: { kind: 'altered', seq: 3 }
  },
  {
    what: 'seals that have changed places',
    statements: ['UPDATE audit_seal SET seq = 99 WHERE seq = 3', 'UPDATE audit_seal SET seq = 3 WHERE seq = 5', 'UPDATE audit_seal SET seq = 5 WHERE seq = 99'],
    fault: { kind: 'reordered', seq: 3 }
  },
  {
    what: 'events that have changed places',
    statements: [
      'CREATE TABLE places AS SELECT seq, event_id FROM audit_seal WHERE seq IN (2, 3)',
      'UPDATE audit_seal SET event_id = gen_random_uuid() WHERE seq IN (2, 3)',
      'UPDATE audit_seal s SET event_id = p.event_id FROM places p WHERE p.seq = 5 - s.seq'
    ],
    fault: { kind: 'reordered', seq: 2 }
  }
]

for (const { what, statements, fault } of tamperings) {
  t.test(`${what} is found where it stands`, async t => {
    const { tamper, verify } = await sealedChain(t)
    await tamper(...statements)
    const verdict = await verify()
    t.match(verdict, { fault })
    t.equal(verdict.verified, (verdict.fault?.seq ?? 0) - 1)
  })
}

t.test('whoever deletes the last event does not stop the sealer', async t => {
  const { tamper, add, sealAll, verify } = await sealedChain(t, 2)
  await tamper(`DELETE FROM audit_event WHERE id = ${seal(2)}`)
  await add(1)
  await sealAll(3)
  t.match(await verify(), { verified: 1, fault: { kind: 'deleted', seq: 2 } })
})

t.test('a chain that was cut at its end is whole by itself, and a checkpoint shows what is missing', async t => {
  const { tamper, verify, sealer, database, sealAll, add } = await sealedChain(t)
  const checkpoint = sealer.checkpoint()
  if (checkpoint === null) throw new Error('There is no checkpoint')
  t.match(await verify({ checkpoints: [checkpoint] }), { verified: 6, fault: null })
  await tamper(`DELETE FROM audit_event WHERE id IN (${seal(5)}, ${seal(6)})`, 'DELETE FROM audit_seal WHERE seq > 4')
  t.match(await verify(), { verified: 4, fault: null })
  t.match(await verify({ checkpoints: [checkpoint] }), { verified: 4, fault: { kind: 'truncated', seq: 6 } })
  // Somebody with the keyring goes on as if nothing had been.
  await add(3)
  await sealAll(7)
  t.match(await verify(), { verified: 7, fault: null })
  t.match(await verify({ checkpoints: [checkpoint] }), { fault: { kind: 'rewritten', seq: 6 } })
  t.match(await verify({ checkpoints: [{ ...checkpoint, seq: 3 }] }), { fault: { kind: 'forged_checkpoint' } })
  t.equal((await database.query('SELECT FROM audit_event')).rowCount, 7)
})

t.test('a chain goes on under another pepper, and needs all of them to be verified', async t => {
  const keyring = keyringFile({ k1: 'active' }, ['p1', 'p2'])
  const { store, add, sealAll, verify, database } = await openChain(t, keyring)
  await add(2)
  await sealAll(2)
  const later = createEnvelopeVault(keyringOf({ ...keyring, peppers: { ...keyring.peppers, active: 'p2' } }))
  await add(2)
  await eventually('all are sealed', async () => {
    await createAuditSealer(store, later, systemClock).seal(never)
    return (await database.query('SELECT FROM audit_seal')).rowCount === 4
  })
  t.match(await verify(), { verified: 4, fault: null })
  const { p2 } = keyring.peppers.keys
  if (p2 === undefined) throw new Error('There is no p2')
  const without = createEnvelopeVault(keyringOf({ ...keyring, peppers: { active: 'p2', keys: { p2 } } }))
  t.match(await verify({}, without), { verified: 0, fault: { kind: 'unknown_pepper', seq: 1 } })
})

t.test('dcr-broker audit verify ends with 0 or 1, says the first fault, and takes checkpoints from the log', async t => {
  const folder = t.testdir({})
  const keyring = keyringFile()
  await writeKeyring(`${folder}/keyring.json`, keyring)
  const { database, add, sealAll, sealer, tamper } = await openChain(t, keyring)
  await add(4)
  await sealAll(4)
  const line = JSON.stringify({ level: 'info', ...sealer.checkpoint(), msg: 'Audit checkpoint' })
  await writeFile(`${folder}/log`, `2026-01-01 broker: {"msg":"Started"}\nnot JSON\n2026-01-01 broker: ${line}\n`)
  const environment = { DATABASE_URL: database.url, ENCRYPTION_KEYRING_FILE: `${folder}/keyring.json` }
  const verify = async (...args: string[]) => await runHere(['audit', 'verify', ...args], environment)

  t.match(await verify('--checkpoint', line), { code: 0, stdout: /^4 events are as they were sealed.*\n1 checkpoint is in the chain/, complaints: [] })
  await tamper(`UPDATE audit_event SET actor = 'nobody' WHERE id = ${seal(4)}`)
  t.match(await verify(), { code: 1, complaints: [/number 4/] })
  const { code, stdout } = await verify('--json')
  t.equal(code, 1)
  t.match(JSON.parse(stdout), { valid: false, verified: 3, fault: { kind: 'altered', seq: 4, event_id: String } })
  await tamper(`DELETE FROM audit_event WHERE id = ${seal(4)}`, 'DELETE FROM audit_seal WHERE seq = 4')
  t.match(await verify('--checkpoint', `${folder}/log`), { code: 1, complaints: [/cut off/] })
  t.match(await verify('--checkpoint', '{"seq":1}'), { code: 2 })
  t.match(await verify('--checkpoint', `${folder}/none`), { code: 1, complaints: [/can't be read/] })
  t.match(await runHere(['audit', 'verify'], { DATABASE_URL: database.url }), { code: 1, complaints: [/ENCRYPTION_KEYRING_FILE is missing/] })
})
