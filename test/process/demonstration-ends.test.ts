// However the demonstration ends, what it has started ends with it, and only one that was told to its end is a success.
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isAlive } from '../../src/sandbox/postgres-leftover.ts'
import { eventually } from '../support/eventually.ts'
import { startMain } from './main-process.ts'
import { postgresBelow } from './postgres-of.ts'

/** Where PostgreSQL's account can pass through. */
async function makeFolder (t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dcr-ends-'))
  await chmod(folder, 0o755)
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const interruptions = {
  'is interrupted': main => { main.child.kill('SIGINT') },
  'is terminated': main => { main.child.kill('SIGTERM') },
  'has lost its reader': main => { main.child.stdout?.destroy() }
} satisfies Record<string, (main: ReturnType<typeof startMain>) => void>
for (const [what, interrupt] of Object.entries(interruptions)) {
  t.test(`a demonstration that ${what} stops its database, removes its folder and does not end as a success`, async t => {
    const folder = await makeFolder(t)
    const demo = startMain({ TMPDIR: folder }, 'demo')
    t.teardown(() => demo.child.kill('SIGKILL'))
    await demo.output(/are running/)
    const postgres = await postgresBelow(folder)
    if (postgres === null) return t.fail('PostgreSQL is there')
    interrupt(demo)
    const { code, stderr } = await demo.ended
    t.equal(code, 1)
    t.equal(stderr, '')
    t.notOk(isAlive(postgres))
    t.strictSame((await readdir(folder)).filter(name => name.startsWith('dcr-demo-')), [])
  })
}

t.test('a demonstration that is interrupted before it has begun leaves nothing behind', async t => {
  const folder = await makeFolder(t)
  const demo = startMain({ TMPDIR: folder }, 'demo')
  t.teardown(() => demo.child.kill('SIGKILL'))
  const postgres = await eventually('PostgreSQL is there', () => postgresBelow(folder))
  demo.child.kill('SIGTERM')
  t.equal((await demo.ended).code, 1)
  t.notOk(isAlive(postgres))
  t.strictSame((await readdir(folder)).filter(name => name.startsWith('dcr-demo-')), [])
})
