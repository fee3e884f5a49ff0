// dcr-broker callers create, list and revoke.
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { digestOfCallerToken } from '../../src/caller-tokens.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { operatorDatabase } from './operator-database.ts'
import { runHere } from './run-cli.ts'

t.jobs = 2

const create = ['callers', 'create', '--kind', 'initial-access-token', '--name']

t.test('callers create prints the token alone and once; the database has its digest only', async t => {
  const { cli, query } = await operatorDatabase(t)
  const { code, stdout, complaints } = await cli(...create, 'the team')
  t.equal(code, 0)
  t.match(stdout, /^dcr_iat_[\w-]{43}\n$/)
  t.match(complaints, [/^Made the team \(.*\) for provider default; it never expires/])
  const { rows } = await query<{ digest: Buffer, text: string }>("SELECT key_digest AS digest, caller::text AS text FROM caller WHERE name = 'the team'")
  t.strictSame(rows[0]?.digest, Buffer.from(digestOfCallerToken('initial_access_token', stdout.trim()) ?? []))
  const { rows: events } = await query<{ text: string }>("SELECT audit_event::text AS text FROM audit_event WHERE action = 'caller.created'")
  t.equal(events.length, 1)
  for (const text of [complaints.join(), rows[0]?.text, events[0]?.text, (await cli('callers', 'list', '--json')).stdout]) t.notMatch(text, stdout.trim())
})

t.test('every bound of a token is kept', async t => {
  const { cli, json, query } = await operatorDatabase(t)
  t.equal((await cli('policies', 'set', 'partners', '--file', t.testdir({ policy: '{}' }) + '/policy')).code, 0)
  const bounds = ['--expires-in', '30d', '--max-registrations', '5', '--policy', 'partners', '--scopes', 'register,read']
  t.match(await json(...create, 'partner', ...bounds), {
    kind: 'initial_access_token',
    name: 'partner',
    state: 'living',
    provider: 'default',
    policy: 'partners',
    scopes: ['register', 'read'],
    registrations: 0,
    max_registrations: 5,
    revoked_at: null,
    token: /^dcr_iat_/
  })
  const { rows } = await query("SELECT FROM caller WHERE name = 'partner' AND expires_at BETWEEN now() + interval '29 days 23 hours' AND now() + interval '30 days'")
  t.equal(rows.length, 1)
})

t.test('what can\'t be made is one line and exit code 1', async t => {
  const { cli } = await operatorDatabase(t)
  t.equal((await cli(...create, 'taken')).code, 0)
  const cases: Array<[args: string[], complaint: RegExp]> = [
    [[...create, 'taken'], /There is a caller of the name taken already/],
    [[...create, 'x', '--provider', 'nowhere'], /There is no provider nowhere\.$/],
    [[...create, 'x', '--policy', 'none'], /There is no policy none\./],
    [['callers', 'revoke', 'nobody'], /There is no caller nobody\./],
    [['callers', 'revoke', 'open registration'], /REGISTRATION_MODE/]
  ]
  for (const [args, complaint] of cases) {
    const outcome = await cli(...args)
    t.match(outcome, { code: 1, stdout: '', complaints: [complaint] }, args.join(' '))
    t.equal(outcome.complaints.length, 1)
  }
})

t.test('callers list shows all, callers revoke ends one by id or by name, also one of the environment', async t => {
  const { cli, json, query } = await operatorDatabase(t)
  const { id } = await json(...create, 'first') as { id: string }
  await cli(...create, 'second')
  t.match((await cli('callers', 'revoke', id)).stdout, `first (${id}) is revoked. Its 0 registrations stay.`)
  t.match((await cli('callers', 'revoke', id)).stdout, 'was revoked before')
  t.match(await json('callers', 'revoke', 'KONNECT_API_KEYS[0]'), { kind: 'konnect', origin: 'environment', state: 'revoked' })
  t.match(await json('callers', 'list'), [
    { kind: 'anonymous' }, { name: 'KONNECT_API_KEYS[0]', state: 'revoked' }, { name: 'first', state: 'revoked' }, { name: 'second', state: 'living' }
  ])
  const words = await cli('callers', 'list')
  t.match(words.stdout, /^ID +KIND +NAME +STATE/)
  t.match(words.stdout, /initial_access_token +second +living +default +register +- +0 +- +-\n/)
  t.equal((await query("SELECT FROM audit_event WHERE action = 'caller.revoked' AND actor = 'cli'")).rowCount, 2, 'what was revoked before is not told again')

  await cli(...create, 'first')
  await query("UPDATE caller SET name = 'second' WHERE name = 'first' AND revoked_at IS NULL")
  t.match(await cli('callers', 'revoke', 'second'), { code: 1, complaints: [/More than one caller has the name second\. Name one by its id: /] })
})

t.test('before the first start, and before the migrations, the CLI says what is missing', async t => {
  const fresh = await createTestDatabase(t)
  t.match(await runHere([...create, 'x'], { DATABASE_URL: fresh.url }), { code: 1, complaints: [/made when the broker starts for the first time/] })
  const empty = await createTestDatabase(t, { empty: true })
  t.match(await runHere(['callers', 'list'], { DATABASE_URL: empty.url }), { code: 1, complaints: [/run `dcr-broker migrate`/] })
  t.match(await runHere(['callers', 'list'], { DATABASE_URL: 'postgresql://broker:hunter2@127.0.0.1:1/dcr' }), { code: 1, complaints: [/^dcr-broker: The database is not available$/] })
})

t.test('a caller is bound to a policy and a quota afterwards; what is not given stays', async t => {
  const { cli, json, prisma } = await operatorDatabase(t)
  await prisma.policy.create({ data: { id: uuidv7(), name: 'strict', rules: {} } })
  await cli('callers', 'create', '--kind', 'initial-access-token', '--name', 'ci')
  t.match(await json('callers', 'bind', 'ci', '--policy', 'strict'), { name: 'ci', policy: 'strict', max_registrations: null })
  t.match(await json('callers', 'bind', 'ci', '--max-registrations', '5'), { policy: 'strict', max_registrations: 5 })
  t.match(await cli('callers', 'bind', 'ci', '--policy', 'nowhere'), { code: 1, complaints: [/There is no policy nowhere/] })
  t.match(await cli('callers', 'bind', 'ci'), { code: 2 })
  await cli('callers', 'revoke', 'ci')
  t.match(await cli('callers', 'bind', 'ci', '--policy', 'strict'), { code: 1, complaints: [/ci is revoked/] })
})

t.test('callers create makes a key of each kind; a scope that the kind does not know, or a provider that it needs, is said', async t => {
  const { cli, json } = await operatorDatabase(t)
  const make = async (kind: string, ...options: string[]) => await json('callers', 'create', '--kind', kind, '--name', `the ${kind}`, ...options)
  t.match(await make('konnect'), { kind: 'konnect', provider: 'default', scopes: ['register', 'read', 'rotate', 'delete'], token: /^dcr_knk_[0-9a-f]{64}$/ })
  t.match(await make('service', '--scopes', 'register'), { kind: 'service', provider: 'default', scopes: ['register'], token: /^dcr_svc_/ })
  t.match(await make('operator', '--scopes', 'read,admin'), { kind: 'operator', provider: null, scopes: ['read', 'admin'], token: /^dcr_opr_/ })
  t.match(await make('gateway'), { kind: 'gateway', provider: null, scopes: ['introspect'], token: /^dcr_gwy_/ })
  t.match(await make('initial-access-token'), { kind: 'initial_access_token', token: /^dcr_iat_/ })
  t.match(await cli('callers', 'create', '--kind', 'robot', '--name', 'x'), { code: 2, complaints: [/Accepted: konnect, service, operator, gateway, initial-access-token/] })
  t.match(await cli('callers', 'create', '--kind', 'konnect', '--name', 'x', '--scopes', 'audit'), { code: 2, complaints: [/Accepted for this kind: a comma list of register, read, rotate, delete\./] })
  t.match(await cli('callers', 'create', '--kind', 'konnect', '--name', 'x', '--policy', 'default'), { code: 1, complaints: [/have policy/] })
  t.match(await cli('callers', 'create', '--kind', 'operator', '--name', 'x', '--scopes', 'read,'), { code: 2 })
  t.match((await cli('callers', 'create', '--kind', 'operator', '--name', 'of all')).complaints, [/for all providers; it never expires/])

  t.match(await json('callers', 'bind', 'the konnect', '--scopes', 'read', '--expires-in', '1d', '--name', 'the reader'), {
    name: 'the reader', scopes: ['read'], expires_at: String
  })
  t.match((await cli('callers', 'bind', 'the reader', '--scopes', 'read,delete')).stdout, /^the reader \(.*\) may read, delete; policy default, at most any number of registrations, until /)
  t.match(await cli('callers', 'bind', 'KONNECT_API_KEYS[0]', '--scopes', 'read'), { code: 1, complaints: [/defined by the setting KONNECT_API_KEYS/] })
})
