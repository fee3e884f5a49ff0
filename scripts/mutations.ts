// npm run mutations [-- <part of a name>]: makes each mistake of test/mutations in a copy of the working tree, and demands that its test notices.
// A mutation that survives is a promise that no test proves: exit code 1.
import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { startTestServer, stopTestServer } from '../test/support/postgres-run.ts'
import { createMutationCompiler, type MutationCompiler } from './mutation-compiler.ts'
import { applyPatch, readMutations, type Mutation } from './mutation-patches.ts'
import { runTest } from './mutation-test.ts'

/** Made by `npm run generate`, so git does not know it. */
const GENERATED = 'src/store/generated'

interface Bench {
  root: string
  compiler: MutationCompiler
  /** Tests that were green without any mutation. */
  green: Set<string>
  signal: AbortSignal
}

interface Result {
  mutation: Mutation
  /** What is wrong: null when its test has turned red. */
  fault: string | null
  seconds: number
}

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort(new Error(`Stopped by ${signal}`)))

const wanted = process.argv[2] ?? ''
const mutations = (await readMutations()).filter(({ name }) => name.includes(wanted))
if (mutations.length === 0) throw new Error(`No mutation has "${wanted}" in its name.`)

const root = await mkdtemp(join(tmpdir(), 'dcr-mutations-'))
try {
  // Test files find the PostgreSQL of their run by their parent's process id.
  await startTestServer(process.pid)
  await copyProject(root)
  compileAll(root)
  const results = await tryAll(mutations, { root, compiler: createMutationCompiler(root), green: new Set(), signal: stopping.signal })
  process.exitCode = report(results) ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = stopping.signal.aborted ? 130 : 1
} finally {
  await stopTestServer(process.pid)
  await rm(root, { recursive: true, force: true })
}

/** The files that git knows or would take, as they are now; `node_modules` is shared. */
async function copyProject (root: string): Promise<void> {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'], { encoding: 'utf8' })
  const deleted = new Set(execFileSync('git', ['ls-files', '-z', '--deleted'], { encoding: 'utf8' }).split('\0'))
  for (const file of listed.split('\0').filter(name => name !== '' && !deleted.has(name))) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await cp(file, join(root, file))
  }
  await cp(GENERATED, join(root, GENERATED), { recursive: true })
  await symlink(resolve('node_modules'), join(root, 'node_modules'))
}

function compileAll (root: string): void {
  console.log('Compiling a copy of the working tree …')
  execFileSync(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', 'tsconfig.test.json'], { cwd: root, stdio: 'inherit' })
  execFileSync(process.execPath, ['--import=tsx', 'scripts/bundle-packages.ts'], { cwd: root, stdio: 'inherit' })
}

async function tryAll (mutations: readonly Mutation[], bench: Bench): Promise<Result[]> {
  const results: Result[] = []
  for (const [index, mutation] of mutations.entries()) {
    const startedAt = performance.now()
    const fault = await tryOne(mutation, bench)
    const seconds = (performance.now() - startedAt) / 1_000
    results.push({ mutation, fault, seconds })
    console.log(`${index + 1}/${mutations.length} ${mutation.name}: ${fault ?? 'noticed'} (${seconds.toFixed(1)} s)`)
  }
  return results
}

/** Resolves to what is wrong with the mutation or its test; null: the test is green without it and red with it. */
async function tryOne (mutation: Mutation, bench: Bench): Promise<string | null> {
  const { root, compiler, signal } = bench
  const { test, fails, changed } = mutation
  const scripts = changed.filter(isScript)
  const fault = await faultBefore(mutation, bench)
  if (fault !== null) return fault
  const refusal = applyPatch(root, mutation)
  if (refusal !== null) return `the patch does not apply: ${refusal}`
  const compiled = await Promise.all(scripts.map(async file => [outputOf(root, file), await readFile(outputOf(root, file))] as const))
  try {
    const faults = compiler.faultsOf(scripts)
    if (faults.length > 0) return `the compiler refuses it: ${faults.join(' ')}`
    compiler.emit(scripts)
    const after = await runTest(root, test, fails, signal)
    if (after.outcomes.includes(false)) return null
    if (after.isOverdue) return 'the test did not end'
    return after.outcomes.length === 0 ? `the test did not run${tail(after.output)}` : 'SURVIVED: the test stays green'
  } finally {
    applyPatch(root, mutation, '--reverse')
    for (const [file, content] of compiled) await writeFile(file, content)
  }
}

async function faultBefore ({ test, fails }: Mutation, { root, green, signal }: Bench): Promise<string | null> {
  const title = titleOf({ test, fails })
  if (green.has(title)) return null
  const { outcomes, isGreen, output } = await runTest(root, test, fails, signal)
  if (outcomes.length === 0) return `there is no ${title}${tail(output)}`
  if (!isGreen || outcomes.includes(false)) return `${title} is red without the mutation${tail(output)}`
  green.add(title)
  return null
}

/** Prints the table. True: every mutation was noticed. */
function report (results: readonly Result[]): boolean {
  console.log('\n| promise | mutation | test | seconds | |\n|---|---|---|---|---|')
  for (const { mutation, fault, seconds } of results) {
    const { promise, name } = mutation
    console.log(`| ${promise} | ${name} | ${titleOf(mutation)} | ${seconds.toFixed(1)} | ${fault === null ? 'noticed' : 'NOT NOTICED'} |`)
  }
  const missed = results.filter(({ fault }) => fault !== null)
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0)
  console.log(`\n${results.length - missed.length} of ${results.length} mutations were noticed, in ${seconds.toFixed(0)} s.`)
  return missed.length === 0
}

function titleOf ({ test, fails }: Pick<Mutation, 'test' | 'fails'>): string {
  return [test, ...fails].join(' › ')
}

function isScript (file: string): boolean {
  return file.endsWith('.ts')
}

function outputOf (root: string, file: string): string {
  return join(root, 'dist-test', file.replace(/\.ts$/, '.js'))
}

function tail (output: string): string {
  return `:\n${output.split('\n').slice(-40).join('\n')}`
}
