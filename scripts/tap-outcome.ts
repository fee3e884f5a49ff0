// What a test file says in TAP, counted by assertion at any depth.
import { Parser, type Result } from 'tap-parser'
import { stringify } from 'yaml'

export interface TapOutcome {
  passed: number
  skipped: number
  /** With their diagnostics, each as a few lines of text. */
  failures: string[]
}

export function readTap (output: string): TapOutcome {
  const outcome: TapOutcome = { passed: 0, skipped: 0, failures: [] }
  const parser = new Parser(results => {
    if (!results.ok && outcome.failures.length === 0) outcome.failures.push(`the TAP is not whole: ${JSON.stringify(results.failures)}`)
  })
  parser.on('pass', () => { outcome.passed += 1 })
  // Neither is a pass: what is not run is seen.
  parser.on('skip', () => { outcome.skipped += 1 })
  parser.on('todo', () => { outcome.skipped += 1 })
  parser.on('fail', (failure: Result) => { outcome.failures.push(describe(failure)) })
  parser.end(output)
  return outcome
}

function describe ({ fullname, name, diag }: Result): string {
  const title = fullname.endsWith(name) ? fullname : `${fullname} > ${name}`
  return diag == null ? title : `${title}\n${stringify(diag).trimEnd().replaceAll(/^/gm, '  ')}`
}
