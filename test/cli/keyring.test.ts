// dcr-broker keyring create.
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parseKeyring } from '../../src/vault/keyring-document.ts'
import { runCli } from './run-cli.ts'

t.test('keyring create makes a file the broker can use, for its owner alone, and shows nothing of it', async t => {
  const path = join(t.testdir(), 'deep', 'keyring.json')
  const { code, stdout, complaints } = await runCli(['keyring', 'create', path])
  t.equal(code, 0)
  t.same(complaints, [])
  const text = await readFile(path, 'utf8')
  t.equal(parseKeyring(text).keys.size, 1)
  t.equal((await stat(path)).mode & 0o777, 0o600)
  for (const [, material] of text.matchAll(/"k": "([^"]+)"/g)) t.notMatch(stdout, String(material))
})

t.test('a keyring that is there is left alone: one line, exit code 1', async t => {
  const path = join(t.testdir({ 'keyring.json': 'mine' }), 'keyring.json')
  t.match(await runCli(['keyring', 'create', path]), { code: 1, stdout: '', complaints: [/exists and is left alone/] })
  t.equal(await readFile(path, 'utf8'), 'mine')
})

t.test('a place where no file can be made is one line and exit code 1', async t => {
  const { code, complaints } = await runCli(['keyring', 'create', '/dev/null/keyring.json'])
  t.equal(code, 1)
  t.equal(complaints.length, 1)
})
