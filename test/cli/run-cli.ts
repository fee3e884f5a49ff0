// The CLI as a process of its own, with an environment of its own.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface Outcome {
  code: number
  stdout: string
  /** Lines of stderr. */
  complaints: string[]
}

export async function runCli (args: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> {
  return await new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH, ...environment }
    execFile(process.execPath, ['--import=tsx', '--no-warnings', main, ...args], { env, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve({ code: Number(error?.code ?? 0), stdout, complaints: stderr.split('\n').filter(line => line !== '') })
    })
  })
}
