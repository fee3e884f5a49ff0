// The command line beside the running broker: what each command says of secrets, and what it says when something is wrong.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { commands } from '../../../src/cli/commands.ts'
import { runHere } from '../../cli/run-cli.ts'
import type { WatchedBroker } from './watched-broker.ts'

/** They would not end, or write files. */
const elsewhere = ['serve', 'keyring', 'keys generate']

/** Runs one command and keeps what it says. @returns its exit code */
export async function runCommand ({ environment, haystacks }: WatchedBroker, args: readonly string[], changes: Record<string, string> = {}): Promise<number> {
  const { stdout, complaints, code } = await runHere(args, { ...environment, ...changes })
  haystacks.push({ name: `dcr-broker ${args.slice(0, 3).join(' ')}`, bytes: Buffer.from([stdout, ...complaints].join('\n')) })
  return code
}

/** @returns how many commands did what they are for */
export async function runCommands (t: Test, broker: WatchedBroker): Promise<number> {
  const { environment, haystacks, canaries, simulator } = broker
  // Its one line of stdout is the hand-over; what it says beside it is searched.
  const made = await runHere(['callers', 'create', '--kind', 'operator', '--name', 'made by the command'], environment)
  canaries.add('token made by the command', made.stdout.trim())
  haystacks.push({ name: 'dcr-broker callers create', bytes: Buffer.from(made.complaints.join('\n')) })

  const codes: number[] = []
  for (const name of Object.keys(commands).filter(name => !elsewhere.includes(name))) codes.push(await runCommand(broker, [...name.split(' '), '--json']))
  const file = join(t.testdir(), 'secret')
  writeFileSync(file, canaries.entraSecret('secret in a file'), { mode: 0o600 })
  const place = ['--issuer', `https://login.microsoftonline.com/${simulator.tenantId}/v2.0`, '--client-id', simulator.broker.clientId]
  await runCommand(broker, ['providers', 'create', 'by-command', ...place, '--secret-file', file, '--json'])
  await runCommand(broker, ['doctor'])

  const away = Object.assign(new URL(environment.DATABASE_URL ?? ''), { port: '9', password: canaries.key('password of a database that is away') })
  for (const args of [['doctor'], ['callers', 'list'], ['migrate']]) await runCommand(broker, args, { DATABASE_URL: away.href })
  const broken = canaries.key('faulty setting')
  const wrong = {
    DATABASE_URL: `postgresql://user:${broken}@/`, KONNECT_API_KEYS: `${broken} `.repeat(2), PORT: broken, ADMIN_API_KEYS: `${broken} x`, KONNECT_API_KEY: broken
  }
  for (const args of [['config-check'], ['doctor']]) await runCommand(broker, args, wrong)
  return codes.filter(code => code === 0).length
}
