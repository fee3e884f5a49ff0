// Runs the compiled test files, several at once, on one PostgreSQL. Prints TAP: a line for each file and, as the last things, what was not run and what failed.
// `node <file>` shows all that one file says.
//   npm test                             all
//   npm test -- lifecycle turns          the files that have one of these in their path
//   npm test -- --jobs 1 --timeout 600   one at a time, ten minutes each
import { readdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startTestServer, stopTestServer } from '../test/support/postgres-run.ts'
import { runTestFile } from './test-file.ts'
import { readTap } from './tap-outcome.ts'

const { values, positionals: wanted } = parseArgs({
  options: {
    // Tests wait a good part of their time.
    jobs: { type: 'string', default: String(availableParallelism() + 1) },
    /** Seconds for each file. */
    timeout: { type: 'string', default: '240' }
  },
  allowPositionals: true
})
const jobs = wholeNumber('jobs', values.jobs)
const longestMs = wholeNumber('timeout', values.timeout) * 1_000
const folder = 'dist-test/test'
const names = (await readdir(folder, { recursive: true })).filter(name => name.endsWith('.test.js')).sort()
const files = names.map(name => join(folder, name)).filter(file => wanted.length === 0 || wanted.some(part => file.includes(part)))

const startedAt = performance.now()
const total = { passed: 0, failed: 0 }
let ended = 0
const skipped: string[] = []
const failures: string[] = []
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => { stop.abort(new Error(signal)) })

console.log(`TAP version 14\n1..${files.length}`)
await startTestServer(process.pid)
try {
  const waiting = files.entries()
  const runNext = async (): Promise<void> => {
    for (const [index, file] of waiting) await run(index + 1, file)
  }
  await Promise.all(Array.from({ length: jobs }, runNext))
} catch (error) {
  if (!stop.signal.aborted) throw error
  failures.push(`ended by ${(stop.signal.reason as Error).message}`)
} finally {
  await stopTestServer(process.pid)
}
console.log(`\n# { total: ${total.passed + skipped.length + total.failed}, pass: ${total.passed}, skip: ${skipped.length}, fail: ${total.failed} }`)
console.log(`# time=${seconds(startedAt)} s`)
if (skipped.length > 0) console.log(`\n== what was not run\n${skipped.join('\n')}`)
if (files.length === 0) failures.push('no test file was found')
if (ended < files.length) failures.push(`${files.length - ended} files were not run to their end`)
if (failures.length > 0) {
  console.log(`\n== what failed\n${failures.join('\n')}`)
  process.exitCode = 1
}

async function run (number: number, file: string): Promise<void> {
  const began = performance.now()
  const { output, exitCode, isOverdue } = await runTestFile({ root: '.', file, longestMs, stderr: 'inherit', signal: stop.signal })
  const outcome = readTap(output)
  if (isOverdue) outcome.failures.push(`was still running after ${values.timeout} s, and has said at last:\n${lastOf(output)}`)
  // A file that ends without a word, or badly after its last test, is no success.
  else if (exitCode !== 0 && outcome.failures.length === 0) outcome.failures.push(`ended with ${exitCode ?? 'a signal'} after:\n${lastOf(output)}`)
  else if (outcome.passed + outcome.failures.length === 0) outcome.failures.push('made no assertion')
  ended += 1
  total.passed += outcome.passed
  skipped.push(...outcome.skipped.map(what => `${file}: ${what}`))
  total.failed += outcome.failures.length
  failures.push(...outcome.failures.map(failure => `${file}: ${failure}`))
  console.log(`${outcome.failures.length === 0 ? 'ok' : 'not ok'} ${number} - ${file} # ${outcome.passed} assertions, ${seconds(began)} s`)
}

function wholeNumber (name: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new RangeError(`--${name} takes a whole number from 1`)
}

function lastOf (output: string): string {
  return output.trimEnd().split('\n').slice(-40).join('\n').replaceAll(/^/gm, '  ')
}

function seconds (since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1)
}
