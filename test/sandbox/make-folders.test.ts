import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { makeFolders } from '../../src/sandbox/make-folders.ts'

t.test('missing folders are made, also by several at once, and those that are there are kept', async t => {
  const dir = t.testdir({})
  const path = join(dir, 'a', 'b', 'c')
  await Promise.all([makeFolders(path, 0o711), makeFolders(path, 0o711), makeFolders(join(dir, 'a', 'd'), 0o711)])
  t.equal((await stat(path)).mode & 0o777, 0o711)
  await writeFile(join(path, 'kept'), '')
  await makeFolders(path)
  t.ok(await stat(join(path, 'kept')))
})

t.test('where no folder can be made the reason is said, at once', async t => {
  const dir = t.testdir({ file: '' })
  await t.rejects(makeFolders(join(dir, 'file', 'a', 'b')), { code: 'ENOTDIR' })
  await t.rejects(makeFolders('/proc/nothing/of/this'), { code: 'ENOENT', syscall: 'mkdir' })
})
