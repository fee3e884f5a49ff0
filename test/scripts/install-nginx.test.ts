// What .ci/install-nginx does where nginx is missing: it installs it if it can, says what has happened, and never fails.
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import type { Test } from 'tap'

const run = promisify(execFile)
const [PACKAGES, SERVICES] = ['install -y --no-install-recommends nginx-light curl', '#!/bin/sh\nexit 101\n']

interface Machine {
  /** Names of programs, and what they do as shell scripts. */
  programs: Record<string, string>
  hasPolicy?: boolean
}

/** Runs the script on a machine that has nothing else. Resolves to what it says, what apt-get was asked for, and whether a file for services is left. */
async function installOn (t: Test, { programs, hasPolicy = false }: Machine): Promise<{ said: string, asked: string[], services: string | null }> {
  const folder = await mkdtemp(join(tmpdir(), 'dcr-install-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const [asked, policy] = [join(folder, 'asked'), join(folder, 'policy-rc.d')]
  if (hasPolicy) await writeFile(policy, SERVICES)
  for (const name of ['bash', 'rm', 'chmod', 'cat']) await symlink(await pathOf(name), join(folder, name))
  for (const [name, text] of Object.entries({ timeout: 'shift; "$@"', ...programs })) {
    await writeFile(join(folder, name), `#!${join(folder, 'bash')}\n${text}\n`)
    await chmod(join(folder, name), 0o755)
  }
  const { stdout } = await run(join(folder, 'bash'), ['.ci/install-nginx'], { env: { PATH: folder, SBIN: '', POLICY_RC_D: policy, ASKED: asked } })
  const services = await stat(policy).then(() => readFile(policy, 'utf8'), () => null)
  const lines = await readFile(asked, 'utf8').catch(() => '')
  return { said: stdout.trim(), asked: lines.split('\n').filter(line => line !== ''), services }
}

async function pathOf (name: string): Promise<string> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (await stat(join(folder, name)).catch(() => null)) return join(folder, name)
  }
  throw new Error(`There is no ${name}`)
}

/** Notes what it is asked for behind its options, and whether services are kept from starting. */
const aptGet = (then: string): string => `while [ "\${1#-}" != "$1" ]; do [ "$1" = -o ] && shift; shift; done\necho "$@" >>"$ASKED"\n[ -x "$POLICY_RC_D" ] || echo "services start" >>"$ASKED"\n${then}`
const root = 'echo 0'

t.test('nothing is installed where both programs are', async t => {
  const { said, asked } = await installOn(t, { programs: { nginx: '', curl: '', id: root, 'apt-get': aptGet('exit 0') } })
  t.match(said, 'are there')
  t.strictSame(asked, [])
})

t.test('what is missing is installed, with services kept from starting for that time only', async t => {
  t.strictSame(await installOn(t, { programs: { id: root, 'apt-get': aptGet('exit 0') } }), { said: 'nginx-light curl installed', asked: [PACKAGES], services: null })
  const { asked } = await installOn(t, { programs: { curl: '', id: root, 'apt-get': aptGet('exit 0') } })
  t.strictSame(asked, ['install -y --no-install-recommends nginx-light'])
})

t.test('the lists of packages are read again when a package is not found', async t => {
  const { said, asked } = await installOn(t, { programs: { id: root, 'apt-get': aptGet('[ "$1" = update ] || [ "$(cat "$ASKED")" != "install -y --no-install-recommends nginx-light curl" ]') } })
  t.strictSame(asked, [PACKAGES, 'update', PACKAGES])
  t.match(said, 'installed')
})

t.test('a machine on which it can\'t be installed is told why, and the script does not fail', async t => {
  const failing = aptGet('echo first; echo "E: no network" >&2; exit 100')
  for (const [what, programs, reason] of [
    ['no apt-get', { id: root }, 'there is no apt-get'],
    ['an ordinary user', { id: 'echo 1000', 'apt-get': aptGet('exit 0') }, 'only root may install it'],
    ['no network', { id: root, 'apt-get': failing }, 'E: no network']
  ] as const) {
    const { said, services } = await installOn(t, { programs })
    t.equal(said, `without nginx-light curl, tests that need it are skipped: ${reason}`, what)
    t.equal(services, null)
  }
})

t.test('a machine\'s own word about services stays', async t => {
  t.equal((await installOn(t, { programs: { id: root, 'apt-get': aptGet('exit 0') }, hasPolicy: true })).services, SERVICES)
})
