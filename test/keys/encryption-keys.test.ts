// Keys: which may be activated and retired, what a rewrap changes, what a replica reports, and how a keyring file is extended.
import { randomUUID } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { createKeyWatch } from '../../src/administration/key-watch.ts'
import { createEncryptionKeys } from '../../src/administration/encryption-keys.ts'
import { commandLine } from '../../src/administration/operator.ts'
import { createEncryptionKeyStore } from '../../src/store/encryption-key-store.ts'
import { createReplicaStore } from '../../src/store/replica-store.ts'
import { systemClock } from '../../src/system-clock.ts'
import { createEnvelopeVault } from '../../src/vault/envelope-vault.ts'
import { parseKeyring } from '../../src/vault/keyring-document.ts'
import { createKeyringFile } from '../../src/vault/keyring.ts'
import { runHere } from '../cli/run-cli.ts'
import { openStore } from '../store/open-store.ts'
import { keyringFile, keyringOf, writeKeyring, type KeyringFile } from '../vault/keyring-fixture.ts'

t.jobs = 2

async function openKeys (t: Test, content: KeyringFile = keyringFile({ k1: 'active', k2: 'decrypt' })) {
  const opened = await openStore(t)
  const { prisma, run } = opened
  const replicas = createReplicaStore(run)
  const replica = (file: KeyringFile) => {
    const vault = createEnvelopeVault(keyringOf(file))
    const watch = createKeyWatch(replicas, vault, { id: randomUUID(), version: '1.0.0' })
    return {
      vault,
      watch,
      async look () {
        await watch.look()
        // However slow this machine is, they stay alive.
        await prisma.$executeRaw`UPDATE replica SET seen_at = now() + interval '1 hour'`
      }
    }
  }
  const first = replica(content)
  await first.look()
  const keys = createEncryptionKeys(createEncryptionKeyStore(prisma), first.vault, systemClock)
  return {
    ...opened,
    ...first,
    replica,
    keys,
    content,
    activate: async (kid: string) => await keys.activate(kid, commandLine),
    retire: async (kid: string) => await keys.retire(kid, commandLine),
    /** Everything that was activated or replaced was so longer ago. */
    later: async () => { await prisma.$executeRaw`UPDATE encryption_key SET activated_at = activated_at - interval '16 minutes', replaced_at = replaced_at - interval '16 minutes'` },
    /** A registration with a sealed secret. */
    async addSecret (secret: string) {
      const held = await opened.reserve()
      const [credential] = held.registration.credentials
      if (credential === undefined) throw new Error('There is no credential')
      const place = { table: 'credential', rowId: credential.id, column: 'secret' }
      Object.assign(credential, { state: 'active', sealed: await first.vault.seal(secret, place) })
      await opened.store.save(held, { lease: { kind: 'keep' }, credentials: [credential] })
      return { held, credential, place }
    },
    async addProviderSecret (secret: string) {
      const id = randomUUID()
      const sealed = await first.vault.seal(secret, { table: 'provider_credential', rowId: id, column: 'secret' })
      const { id: providerId } = await prisma.provider.findFirstOrThrow()
      await prisma.providerCredential.create({
        data: {
          id,
          providerId,
          state: 'standby',
          kind: 'secret',
          clientId: 'x',
          sealVersion: sealed.version,
          sealKid: sealed.kid,
          sealWrappedKey: Buffer.from(sealed.wrappedKey),
          sealCiphertext: Buffer.from(sealed.ciphertext)
        }
      })
      return id
    }
  }
}

t.test('until a key is activated the file decides, from then on the database', async t => {
  const { vault, look, keys, activate } = await openKeys(t)
  t.equal(vault.activeKid(), 'k1')
  t.match(await activate('k2'), { kid: 'k2', state: 'active', activatedAt: Date })
  t.equal(vault.activeKid(), 'k1', 'until the replica has looked')
  await look()
  t.equal(vault.activeKid(), 'k2')
  t.match(await keys.list(), { keys: [{ kid: 'k1', state: 'known', replacedAt: Date }, { kid: 'k2', state: 'active', replacedAt: null }], replicas: [{ activeKid: 'k2' }] })
  t.match(await activate('k1'), { kid: 'k1', state: 'active', replacedAt: null }, 'and back')
  t.match((await keys.list()).keys.filter(({ state }) => state === 'active'), [{ kid: 'k1' }])
})

t.test('a key is activated only when every live replica has it; the refusal names those that lack it', async t => {
  const { replica, activate, content, prisma } = await openKeys(t)
  await t.rejects(activate('k9'), { code: 'unknown' })
  const { k1 } = content.keys
  if (k1 === undefined) throw new Error('There is no k1')
  const lacking = replica({ ...content, keys: { k1 } })
  await lacking.look()
  const [row] = await prisma.replica.findMany({ where: { kids: { equals: ['k1'] } } })
  await t.rejects(activate('k2'), { code: 'conflict', message: new RegExp(`${row?.id}.*lacks it`) })
  await lacking.watch.leave()
  t.match(await activate('k2'), { state: 'active' }, 'who has left does not count')
  const { watch: late } = replica({ ...content, keys: { k1 } })
  await late.look()
  t.match(late.fault(), /active key k2 is not in the keyring file/, 'who comes later is not ready')
})

t.test('replicas that were silent for 30 seconds do not count, and are forgotten after an hour', async t => {
  const { watch, keys, prisma } = await openKeys(t)
  t.equal((await keys.list()).replicas.length, 1)
  await prisma.$executeRaw`UPDATE replica SET seen_at = now() - interval '31 seconds'`
  t.equal((await keys.list()).replicas.length, 0)
  await prisma.$executeRaw`INSERT INTO replica (id, version, kids, active_kid, seen_at) VALUES (gen_random_uuid(), 'old', '{}', 'k0', now() - interval '61 minutes')`
  await watch.look()
  t.match(await prisma.replica.findMany(), [{ version: '1.0.0' }])
})

t.test('F30 a key with other bytes than the database knows is not reported, and the replica is not ready', async t => {
  const { replica, activate } = await openKeys(t)
  const { watch } = replica(keyringFile({ k3: 'active', k2: 'decrypt' }))
  await watch.look()
  t.match(watch.fault(), /other bytes.*k2/)
  await t.rejects(activate('k2'), { code: 'conflict', message: /lacks it/ })
})

t.test('F30 a replica seals nothing under a key that has other bytes than the database knows', async t => {
  const { replica, activate, look, content } = await openKeys(t)
  await activate('k2')
  await look()
  const place = { table: 'credential', rowId: randomUUID(), column: 'secret' }
  // Its file lacked the active key first; then somebody has put another key there under that name.
  const { k1 } = content.keys
  const { k2 } = keyringFile({ k2: 'active' }).keys
  if (k1 === undefined || k2 === undefined) throw new Error('There is no k1 or k2')
  const late = replica({ ...content, keys: { k1, k2: { ...k2, state: 'decrypt' } } })
  await late.look()
  t.match(late.watch.fault(), /other bytes.*k2/)
  t.match(await late.vault.seal('secret', place), { kid: 'k1' }, 'as one whose file lacks the active key')
  const foreign = replica(keyringFile({ k1: 'active', k2: 'decrypt' }))
  await foreign.look()
  await t.rejects(foreign.vault.seal('secret', place), { name: 'VaultError', message: /other bytes/ })
})

t.test('F31 a key is retired when it is not active, nobody seals under it, its grace is over and no value refers to it', async t => {
  const { look, keys, activate, retire, later, addSecret, addProviderSecret, prisma } = await openKeys(t)
  await addSecret('one')
  await addProviderSecret('two')
  await t.rejects(retire('k1'), { code: 'conflict', message: /No key was activated/ })
  await activate('k2')
  await t.rejects(retire('k2'), { code: 'conflict', message: /is active/ })
  await t.rejects(retire('k1'), { code: 'conflict', message: /still sealed under k1/ })
  await look()
  await t.rejects(retire('k1'), { code: 'conflict', message: /^2 values are sealed under k1/ })
  t.match(await keys.rewrap(commandLine), { kid: 'k2', rewrapped: 2, failed: 0, remaining: 0, total: 2 })
  await t.rejects(retire('k1'), { code: 'conflict', message: /can be retired in \d+ minutes/ })
  await later()
  t.match(await retire('k1'), { state: 'retired', retiredAt: Date })
  await t.rejects(retire('k1'), { code: 'conflict', message: /already/ })
  await t.rejects(activate('k1'), { code: 'conflict', message: /is retired/ })
  const events = await prisma.auditEvent.findMany({ where: { action: { startsWith: 'encryption_key.' } }, orderBy: [{ at: 'asc' }, { id: 'asc' }] })
  t.strictSame(events.map(({ actor, action }) => [actor, action]), [
    ['cli', 'encryption_key.activated'], ['cli', 'encryption_key.rewrapped'], ['cli', 'encryption_key.retired']
  ])
})

t.test('rewrap changes the wrapped key only, leaves alone what was changed meanwhile, and says what does not open', async t => {
  const { prisma, look, vault, keys, activate, addSecret, store } = await openKeys(t)
  await t.rejects(keys.rewrap(commandLine), { code: 'conflict', message: /No key was activated/ })
  const [one, broken, erased] = [await addSecret('one'), await addSecret('broken'), await addSecret('erased')]
  await activate('k2')
  await t.rejects(keys.rewrap(commandLine), { code: 'conflict', message: /has not heard/ })
  await look()
  await prisma.$executeRaw`UPDATE credential SET seal_wrapped_key = sha256(seal_wrapped_key) WHERE id = ${broken.credential.id}::uuid`
  const before = await prisma.credential.findUniqueOrThrow({ where: { id: one.credential.id } })
  // Erased between the reading and the writing of the rewrap.
  const real = createEncryptionKeyStore(prisma)
  const interrupted = createEncryptionKeys({
    ...real,
    async replaceWrapping (values) {
      await prisma.$executeRaw`UPDATE credential SET seal_version = NULL, seal_kid = NULL, seal_wrapped_key = NULL, seal_ciphertext = NULL WHERE id = ${erased.credential.id}::uuid`
      return await real.replaceWrapping(values)
    }
  }, vault, systemClock)
  t.match(await interrupted.rewrap(commandLine), {
    rewrapped: 1, failed: 1, failures: [{ table: 'credential', rowId: broken.credential.id }], remaining: 1, total: 2
  })
  const after = await prisma.credential.findUniqueOrThrow({ where: { id: one.credential.id } })
  t.equal(after.sealKid, 'k2')
  t.strictSame(after.sealCiphertext, before.sealCiphertext)
  t.notSame(after.sealWrappedKey, before.sealWrappedKey)

  // A run that began before the rewrap saves what it read then.
  await store.save(one.held, { lease: { kind: 'release', dueInMs: null }, credentials: [one.credential] })
  const saved = await prisma.credential.findUniqueOrThrow({ where: { id: one.credential.id } })
  t.equal(saved.sealKid, 'k2')
  const stored = (await store.find(one.held.registration.id))?.credentials[0]?.sealed
  t.equal(stored === null || stored === undefined ? null : await vault.open(stored, one.place), 'one')
})

t.test('dcr-broker keys does the same from the command line', async t => {
  const content = keyringFile({ k1: 'active', k2: 'decrypt' })
  const { database, look, addSecret, later } = await openKeys(t, content)
  await addSecret('one')
  const path = `${t.testdir({})}/keyring.json`
  await writeKeyring(path, content)
  const cli = async (...args: string[]) => await runHere(['keys', ...args], { DATABASE_URL: database.url, ENCRYPTION_KEYRING_FILE: path })

  t.match(await cli('rewrap'), { code: 1, complaints: [/No key was activated/] })
  t.match(await cli('activate', 'k2'), { code: 0, stdout: /sealed under k2/ })
  t.match(await cli('list'), { code: 0, stdout: /k1 +known +1 [^]*k2 +active +0 [^]*1 live replica; 1 of 1 sealed values are not under the active key/ })
  await look()
  t.match(JSON.parse((await cli('rewrap', '--json')).stdout), { kid: 'k2', rewrapped: 1, remaining: 0, total: 1 })
  t.match(await cli('retire', 'k1'), { code: 1, complaints: [/can be retired in/] })
  await later()
  t.match(await cli('retire', 'k1'), { code: 0 })
  t.match(JSON.parse((await cli('list', '--json')).stdout), { keys: [{ kid: 'k1', state: 'retired' }, { kid: 'k2', state: 'active' }], rewrap: { remaining: 0, total: 1 } })
})

t.test('keys generate writes a new file with all that the other has and one fresh key, and never over a file', async t => {
  const folder = t.testdir({})
  const [old, fresh] = [`${folder}/old.json`, `${folder}/new.json`]
  await createKeyringFile(old)
  const answer = await runHere(['keys', 'generate', fresh, '--from', old, '--json'])
  const { kid } = JSON.parse(answer.stdout) as { kid: string }
  const [before, after] = [parseKeyring(await readFile(old, 'utf8')), parseKeyring(await readFile(fresh, 'utf8'))]
  t.equal(after.active, before.active)
  t.strictSame([...after.keys.keys()], [...before.keys.keys(), kid])
  t.equal(after.keys.get(kid)?.state, 'decrypt')
  t.equal(after.peppers.active, before.peppers.active)
  t.strictSame(JSON.parse(await readFile(fresh, 'utf8')).peppers, JSON.parse(await readFile(old, 'utf8')).peppers)
  t.equal((await stat(fresh)).mode & 0o777, 0o600)
  t.notMatch(answer.stdout, /"k":/)

  const content = await readFile(fresh, 'utf8')
  t.match(await runHere(['keys', 'generate', fresh, '--from', old]), { code: 1, complaints: [/left alone/] })
  t.equal(await readFile(fresh, 'utf8'), content)
  t.match(await runHere(['keys', 'generate', `${folder}/x.json`, '--from', `${folder}/none.json`]), { code: 1, complaints: [/can't be opened/] })
  t.match(await runHere(['keys', 'generate', `${folder}/first.json`]), { code: 0, stdout: /Keep a copy/ })
})
