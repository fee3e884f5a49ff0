// Runs one compiled test file as the runner would, and reads what became of the tests it names.
import { join } from 'node:path'
import { runTestFile } from './test-file.ts'

/** A test that is silent for longer has proved nothing. */
const LONGEST_MS = 180_000

export interface TestRun {
  /** Of the tests whose name was looked for: true for those that passed. Empty: there was none, or the file did not get so far. */
  outcomes: boolean[]
  /** Whether everything that was run passed. */
  isGreen: boolean
  /** The file was still running after three minutes. */
  isOverdue: boolean
  /** What the file has printed, errors included. */
  output: string
}

/**
 * @param root a compiled copy of the project
 * @param file under `root`, in TypeScript
 * @param names what the name of the test has to contain, behind those of the tests around it; others are not run
 */
export async function runTest (root: string, file: string, names: readonly string[], signal: AbortSignal): Promise<TestRun> {
  const grep = names.map(name => name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('\n')
  const { output, exitCode, isOverdue } = await runTestFile({
    root,
    file: join('dist-test', file.replace(/\.ts$/, '.js')),
    longestMs: LONGEST_MS,
    environment: { TAP_GREP: grep },
    stderr: 'kept',
    signal
  })
  return { outcomes: outcomesOf(output, names.at(-1) ?? ''), isGreen: exitCode === 0, isOverdue, output }
}

// TAP names a test before its assertions (`# Subtest: name`) and after them, with the outcome; an assertion has the latter only.
function outcomesOf (output: string, name: string): boolean[] {
  const lines = output.split('\n').map(line => line.trim().replaceAll(/\\([#\\])/g, '$1'))
  const tests = new Set(lines.filter(line => line.startsWith('# Subtest: ')).map(line => line.slice('# Subtest: '.length)))
  return lines.flatMap(line => {
    const [, not, title = ''] = /^(not )?ok \d+ - (.*?)(?: # (?:time=|TODO).*)?(?: \{)?$/.exec(line) ?? []
    return tests.has(title) && title.includes(name) ? [not === undefined] : []
  })
}
