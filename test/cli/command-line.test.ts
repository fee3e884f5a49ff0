// The command line itself.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { programArguments } from '../support/programs.ts'
import { runCli, runHere } from './run-cli.ts'

t.test('--version answers the version of the package', async t => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }
  t.same(await runCli(['--version']), { code: 0, stdout: `${version}\n`, complaints: [] })
})

t.test('whoever reads no further ends it without a word', async t => {
  const program = spawn(process.execPath, ['--no-warnings', ...programArguments('src/cli/main'), '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  program.stdout.destroy()
  let complaints = ''
  program.stderr.setEncoding('utf8').on('data', (text: string) => { complaints += text })
  const [code] = await once(program, 'close')
  t.strictSame([code, complaints], [0, ''])
})

t.test('--help names every command, and that of a command its options', async t => {
  const all = await runHere(['--help'])
  t.equal(all.code, 0)
  t.match(all.stdout, /^Exit codes\n +0 {2}Done\.\n +1 .+\n +2 .+\n$/m)
  for (const command of ['migrate', 'config-check', 'keyring create <path>', 'callers create', 'policies set <name>', 'scopes remove <name>']) t.match(all.stdout, `dcr-broker ${command}`)
  const one = await runHere(['migrate', '--help'])
  t.equal(one.code, 0)
  t.match(one.stdout, '--rolled-back')
  t.notMatch(one.stdout, 'keyring')
  const group = await runHere(['callers', '--help'])
  t.equal(group.code, 0)
  for (const command of ['callers create', 'callers list', 'callers revoke']) t.match(group.stdout, `dcr-broker ${command}`)
  t.notMatch(group.stdout, 'policies')
})

const wrong: Array<[args: string[], complaint: RegExp]> = [
  [[], /Which command/],
  [['frobnicate'], /Unknown command: frobnicate/],
  [['constructor'], /Unknown command/],
  [['migrate', '--frobnicate'], /Unknown option '--frobnicate'/],
  [['migrate', 'now'], /Unexpected argument: now/],
  [['migrate', '--status', '--rolled-back', 'x'], /exclude each other/],
  [['keyring'], /Known: create/],
  [['keyring', 'create'], /exactly one path/],
  [['callers'], /What to do with the callers\? Known: create, list, bind, revoke\./],
  [['policies', 'burn'], /Unknown action: policies burn\. Known: set, show, list, versions, dry-run\./],
  [['callers', 'create', '--name', 'x'], /--kind is missing/],
  [['callers', 'create', '--kind', 'robot', '--name', 'x'], /--kind is not acceptable\. Accepted: konnect, service, operator, gateway, initial-access-token\./],
  [['callers', 'create', '--kind', 'initial-access-token'], /--name is missing/],
  [['callers', 'create', '--kind', 'initial-access-token', '--name', 'x', '--expires-in', '30'], /--expires-in .* 30m, 12h, 30d/],
  [['callers', 'create', '--kind', 'initial-access-token', '--name', 'x', '--max-registrations', '0'], /--max-registrations .* from 1 to/],
  [['callers', 'create', '--kind', 'initial-access-token', '--name', 'x', '--scopes', 'register,admin'], /--scopes .* register, read/],
  [['callers', 'revoke'], /Exactly one argument is needed/],
  [['policies', 'set', 'Partners', '--file', 'x'], /The name is not acceptable/],
  [['scopes', 'set', 'orders.read', '--resource', 'api://orders'], /--resource is not acceptable\. Accepted: a GUID/]
]
for (const [args, complaint] of wrong) {
  t.test(`"dcr-broker ${args.join(' ')}" is a wrong command line: one line on stderr, exit code 2`, async t => {
    const { code, stdout, complaints } = await runHere(args)
    t.equal(code, 2)
    t.equal(stdout, '')
    t.match(complaints, [complaint])
    t.equal(complaints.length, 1)
  })
}
