// dcr-broker reconcile: run, dry run, report, adopt, purge, release, through a running broker.
import t from 'tap'
import { forget, forgetLongAgo, startReconciling } from '../reconciliation/reconciling.ts'
import { OPERATOR_KEY } from '../support/broker.ts'
import { secretWorks } from '../support/entra-truth.ts'
import { runHere } from './run-cli.ts'

t.test('what Entra and the database disagree about is shown and decided from the command line', async t => {
  const broker = await startReconciling(t)
  const { operationsUrl, newClient, simulator, stateOf } = broker
  const cli = async (...args: string[]) => await runHere(['reconcile', ...args, '--url', operationsUrl], { OPERATOR_KEY })
  const lost = await forgetLongAgo(broker)

  t.match(await cli('report'), { code: 0, stdout: /^default: no run has finished yet\n$/ })
  const dry = await cli('run', '--dry-run')
  t.match(dry, { code: 0, stdout: /^default: nothing was changed\n/, complaints: [] })
  t.match(dry.stdout, new RegExp(`unknown_application +${lost.clientId} +Lost .* waits`))
  t.match((await cli('report')).stdout, 'no run has finished yet')
  const run = await cli('run')
  t.match(run, { code: 0, complaints: [] })
  t.match(run.stdout, /applications: 2, unknown: 1/)
  t.match(run.stdout, new RegExp(`unknown_application +${lost.clientId} +Lost`))
  t.match(await cli('run', '--provider', 'nobody'), { code: 1, complaints: [/answers 404: There is no provider nobody/] })

  t.match(await cli('adopt', lost.clientId), { code: 2, complaints: [/--yes is missing/] })
  t.match(await cli('adopt', lost.clientId, '--yes'), { code: 0, stdout: `Client ${lost.clientId} is registration ${lost.id} again.\n` })
  t.equal(await stateOf(lost.id), 'active')
  t.ok(await secretWorks(simulator, lost.clientId, lost.secret))
  t.match(await cli('adopt', lost.clientId, '--yes'), { code: 1, complaints: [/answers 404/] })

  await forget(broker, lost.id)
  // It is older than that: no sign of a restore.
  await broker.database.query('UPDATE reconciliation SET looked_at = NULL')
  await cli('run')
  t.match(await cli('purge', lost.clientId), { code: 2, complaints: [/--yes is missing/] })
  t.match(await cli('purge', lost.clientId, '--yes'), { code: 1, complaints: [/answers 409: It was seen once only/] })
  await cli('run')
  t.match(await cli('purge', lost.clientId, '--yes'), { code: 0, stdout: `Application ${lost.clientId} is purged.\n` })
  t.notOk(await secretWorks(simulator, lost.clientId, lost.secret))

  t.match(await cli('release'), { code: 2, complaints: [/--yes is missing/] })
  t.match(await cli('release', '--yes'), { code: 0, stdout: 'Nothing was on hold.\n' })
  const newest = await newClient({ client_name: 'Newest' })
  await broker.database.query('UPDATE registration SET created_at = now()')
  await forget(broker, newest.id)
  t.match((await cli('run')).stdout, new RegExp(`ON HOLD since .*: ${newest.clientId} is newer`))
  t.match(JSON.parse((await cli('report', '--json')).stdout), [{ provider: 'default', on_hold: true, held_for: newest.clientId }])
  t.match(await cli('release', '--yes'), { code: 0, stdout: 'Released: default.\n' })
})
