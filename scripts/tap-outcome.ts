// What a test file says in TAP, counted by assertion at any depth.
import { Parser, type Result } from 'tap-parser'
import { stringify } from 'yaml'

export interface TapOutcome {
  passed: number
  /** What was not run, by its name and reason. */
  skipped: string[]
  /** With their diagnostics, each as a few lines of text. */
  failures: string[]
}

export function readTap (output: string): TapOutcome {
  const outcome: TapOutcome = { passed: 0, skipped: [], failures: [] }
  const parser = new Parser(results => {
    if (!results.ok && outcome.failures.length === 0) outcome.failures.push(`the TAP is not whole: ${JSON.stringify(results.failures)}`)
  })
  parser.on('pass', () => { outcome.passed += 1 })
  // Neither is a pass: what is not run is seen.
  for (const kind of ['skip', 'todo'] as const) parser.on(kind, (result: Result) => { outcome.skipped.push(`${titleOf(result)}: ${reasonIn(result[kind])}`) })
  parser.on('fail', (failure: Result) => { outcome.failures.push(describe(failure)) })
  parser.end(output)
  return outcome
}

const titleOf = ({ fullname, name }: Result): string => fullname.endsWith(name) ? fullname : `${fullname} > ${name}`

const reasonIn = (said: boolean | string): string => typeof said === 'string' && said !== '' ? said : 'no reason is given'

function describe (result: Result): string {
  const { diag } = result
  const title = titleOf(result)
  return diag == null ? title : `${title}\n${stringify(diag).trimEnd().replaceAll(/^/gm, '  ')}`
}
