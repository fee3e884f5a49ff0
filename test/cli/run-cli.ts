// The CLI as a process of its own, or here; with an environment of its own either way.
import { execFile } from 'node:child_process'
import { runCommandLine } from '../../src/cli/command-line.ts'
import { programArguments } from '../support/programs.ts'

export interface Outcome {
  code: number
  stdout: string
  /** Lines of stderr. */
  complaints: string[]
}

export async function runCli (args: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> {
  return await new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH, ...environment }
    execFile(process.execPath, ['--no-warnings', ...programArguments('src/cli/main'), ...args], { env, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve({ code: Number(error?.code ?? 0), stdout, complaints: stderr.split('\n').filter(line => line !== '') })
    })
  })
}

/** What the process would do, without the seconds that it takes to start. */
export async function runHere (args: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> {
  const lines: string[] = []
  const complaints: string[] = []
  const code = await runCommandLine(args, {
    environment,
    print: line => { lines.push(`${line}\n`) },
    complain: line => { complaints.push(line) },
    signal: new AbortController().signal
  })
  return { code, stdout: lines.join(''), complaints }
}
