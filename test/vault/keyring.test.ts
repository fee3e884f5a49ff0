// The keyring file: what is accepted, who may read it, and that a bad new file never takes a good one's place.
import { EventEmitter, once } from 'node:events'
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t from 'tap'
import { KeyringError, parseKeyring } from '../../src/vault/keyring-document.ts'
import { createKeyringFile, openKeyring } from '../../src/vault/keyring.ts'
import { freshKey, keyringFile, writeKeyring, type KeyringFile } from './keyring-fixture.ts'

interface Line { details: object, message: string }

function recordingLog () {
  const errors: Line[] = []
  const infos: Line[] = []
  return {
    errors,
    infos,
    error: (details: object, message: string) => { errors.push({ details, message }) },
    info: (details: object, message: string) => { infos.push({ details, message }) }
  }
}

function faultsOf (content: unknown): readonly string[] {
  try {
    parseKeyring(typeof content === 'string' ? content : JSON.stringify(content))
    return []
  } catch (error) {
    if (error instanceof KeyringError) return error.faults
    throw error
  }
}

t.test('a keyring file made for the sandbox is private, complete, good, and made once', async t => {
  const path = join(t.testdir(), 'deep', 'keyring.json')
  t.equal(await createKeyringFile(path), true)
  t.equal((await stat(path)).mode & 0o777, 0o600)
  const text = await readFile(path, 'utf8')
  t.strictSame(faultsOf(text), [])
  t.equal(await createKeyringFile(path), false, 'a file that is there stays')
  t.equal(await readFile(path, 'utf8'), text)
  t.strictSame(await readdir(join(path, '..')), ['keyring.json'], 'no draft is left behind')
})

t.test('many makers of one file agree on one content', async t => {
  const path = join(t.testdir(), 'keyring.json')
  const made = await Promise.all(Array.from({ length: 8 }, () => createKeyringFile(path)))
  t.equal(made.filter(Boolean).length, 1)
  t.strictSame(faultsOf(await readFile(path, 'utf8')), [])
})

for (const { place, path, code } of [
  { place: 'under a file', path: (dir: string) => join(dir, 'file', 'keyring.json'), code: 'ENOTDIR' },
  { place: 'in a folder of a file', path: (dir: string) => join(dir, 'file', 'deep', 'keyring.json'), code: 'ENOTDIR' },
  { place: 'two missing folders away', path: (dir: string) => join(dir, 'a', 'b', 'keyring.json'), code: 'ENOENT' },
  // Node's own recursive mkdir never comes back from here.
  { place: 'where the system makes no folders', path: () => '/proc/nothing/keyring.json', code: 'ENOENT' }
]) {
  t.test(`a keyring file ${place} is refused with the reason`, async t => {
    const dir = t.testdir({ file: 'of somebody' })
    await t.rejects(createKeyringFile(path(dir)), { code, syscall: /mkdir|open/ })
    t.strictSame(await readdir(dir), ['file'], 'nothing is left behind')
  })
}

t.test('every fault of a keyring is named at once', async t => {
  const faults = faultsOf({
    active: 'b',
    keys: { a: { k: 'short', state: 'active' }, b: { k: freshKey(), state: 'sleeping' }, c: 'no object', 'd e': {} },
    peppers: { active: 'x', keys: { p: { k: `${freshKey()}=` } } }
  })
  const wanted = [
    /^Key a: k is not 32 bytes/, /^Key b: state/, /^Entry c of keys/, /^Entry 4 of keys/, /^The key named by active/,
    /^Pepper p: k is not/, /^peppers\.active/
  ]
  for (const pattern of wanted) t.ok(faults.some(fault => pattern.test(fault)), String(pattern))
  t.equal(faults.length, wanted.length)
})

t.test('keyrings that contradict themselves are refused', async t => {
  const good = keyringFile({ a: 'active', b: 'decrypt' })
  const k = good.keys.a?.k ?? ''
  const cases: Array<[string, unknown, RegExp]> = [
    ['not JSON', '{"active":', /not JSON/],
    ['a list', [], /not a JSON object/],
    ['no keys', { ...good, keys: {} }, /keys has no entry/],
    ['no peppers', { active: good.active, keys: good.keys }, /peppers\.keys has no entry/],
    ['an active key that only decrypts', { ...good, active: 'b' }, /named by active/],
    ['an active key from the prototype', { ...good, active: 'constructor' }, /named by active/],
    ['two active keys', { ...good, keys: { ...good.keys, b: { k: freshKey(), state: 'active' } } }, /Only one key/],
    ['two names for one key', { ...good, keys: { ...good.keys, c: { k, state: 'retired' } } }, /key a and key c have the same material/],
    ['a pepper that is a key', { ...good, peppers: { active: 'p', keys: { p: { k } } } }, /key a and pepper p have the same material/]
  ]
  for (const [name, content, pattern] of cases) t.match(faultsOf(content).join(' '), pattern, name)
})

t.test('no error and no printed keyring shows material', async t => {
  const canary = freshKey()
  const bad: unknown[] = [
    `{"active": "${canary}`,
    { active: canary, keys: { [`${canary}=`]: { k: canary } }, peppers: {} },
    { active: 'a', keys: { a: { k: `${canary}x`, state: canary } }, peppers: { active: canary, keys: { [`${canary} `]: canary } } }
  ]
  for (const content of bad) {
    const faults = faultsOf(content)
    t.ok(faults.length > 0)
    t.notMatch(faults.join('\n'), canary)
  }
  const good = keyringFile()
  const document = parseKeyring(JSON.stringify(good))
  const printed = `${inspect(document, { depth: 9, showHidden: true })} ${JSON.stringify([...document.keys])}`
  t.notOk(printed.includes(good.keys.k1?.k ?? ''))
  t.notOk(printed.includes(Buffer.from(good.keys.k1?.k ?? '', 'base64url').toString('hex')))
})

t.test('a file that others can read or write, a folder and a missing file are refused', async t => {
  const dir = t.testdir()
  const path = join(dir, 'keyring.json')
  await writeKeyring(path, keyringFile())
  for (const mode of [0o604, 0o602, 0o644, 0o666]) {
    await chmod(path, mode)
    await t.rejects(openKeyring(path, recordingLog()), { name: 'KeyringError', message: /Others can read/ }, mode.toString(8))
  }
  await t.rejects(openKeyring(dir, recordingLog()), { name: 'KeyringError', message: /not a file/ })
  await t.rejects(openKeyring(join(dir, 'none'), recordingLog()), { name: 'KeyringError', message: /ENOENT/ })
  for (const mode of [0o600, 0o400, 0o440]) {
    await chmod(path, mode)
    const keyring = await openKeyring(path, recordingLog())
    t.equal(keyring.current().active, 'k1', mode.toString(8))
    keyring.close()
  }
})

t.test('a keyring mounted as Kubernetes does it is followed through both links, also after an update', async t => {
  const dir = t.testdir()
  const put = async (version: string, content: KeyringFile) => {
    await mkdir(join(dir, version))
    await writeKeyring(join(dir, version, 'keyring.json'), content)
    await rm(join(dir, '..data'), { force: true })
    await symlink(version, join(dir, '..data'))
  }
  const first = keyringFile({ k1: 'active' })
  await put('..v1', first)
  await symlink(join('..data', 'keyring.json'), join(dir, 'keyring.json'))
  const log = recordingLog()
  const keyring = await openKeyring(join(dir, 'keyring.json'), log)
  t.teardown(() => keyring.close())
  t.equal(await keyring.reread(), 'unchanged')

  const second = keyringFile({ k2: 'active' })
  const keys = { ...second.keys, k1: { k: first.keys.k1?.k ?? '', state: 'decrypt' as const } }
  await put('..v2', { ...second, keys, peppers: first.peppers })
  t.equal(await keyring.reread(), 'replaced')
  t.equal(keyring.current().active, 'k2')
  t.strictSame([...keyring.current().keys.keys()], ['k2', 'k1'])
  t.equal(log.infos.length, 1)
})

t.test('a bad new file is said once, the old keyring stays in use, and a good file ends the fault', async t => {
  const path = join(t.testdir(), 'keyring.json')
  const good = keyringFile()
  await writeKeyring(path, good)
  const log = recordingLog()
  const keyring = await openKeyring(path, log)
  t.teardown(() => keyring.close())
  const before = keyring.current()

  await writeFile(path, '{"half":')
  t.equal(await keyring.reread(), 'refused')
  t.equal(await keyring.reread(), 'refused')
  t.equal(keyring.current(), before)
  t.match(keyring.fault(), /not JSON/)
  t.equal(log.errors.length, 1)

  await rm(path)
  t.equal(await keyring.reread(), 'refused')
  t.equal(log.errors.length, 2, 'another fault is said as well')

  await writeKeyring(path, good)
  t.equal(await keyring.reread(), 'unchanged')
  t.equal(keyring.fault(), null)
})

t.test('F30 a name that comes back with other material is refused', async t => {
  const path = join(t.testdir(), 'keyring.json')
  const good = keyringFile()
  await writeKeyring(path, good)
  const log = recordingLog()
  const keyring = await openKeyring(path, log)
  t.teardown(() => keyring.close())
  await writeKeyring(path, keyringFile())
  t.equal(await keyring.reread(), 'refused')
  t.match(keyring.fault(), /key k1, pepper p1/)
  t.notMatch(JSON.stringify(log.errors), good.keys.k1?.k ?? '')
})

t.test('a changed file is taken by itself, without anybody asking', async t => {
  const path = join(t.testdir(), 'keyring.json')
  await writeKeyring(path, keyringFile({ k1: 'active' }))
  const log = new EventEmitter()
  const replaced = once(log, 'replaced')
  const keyring = await openKeyring(path, { error: () => {}, info: () => log.emit('replaced') }, { everyMs: 5 })
  t.teardown(() => keyring.close())
  // The keyring's timer keeps no process alive; this one does, until the test has its answer.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  await writeKeyring(path, keyringFile({ k2: 'active' }, ['p2']))
  await replaced
  t.equal(keyring.current().active, 'k2')
})
