// The operations API of a running broker, for commands on registrations: the work is the broker's own.
import { readFile } from 'node:fs/promises'
import { baseUrlFault, withoutTrailingSlash } from '../settings/endpoints.ts'
import { CommandError, UsageError, type CommandContext } from './command.ts'
import { textOption, type OptionValues } from './option-values.ts'

export const apiOptions = {
  url: { type: 'string', about: 'Base of the operations listener; http://localhost:3001 if left out.' },
  'key-file': { type: 'string', about: 'File with an operator key; else OPERATOR_KEY or OPERATOR_KEY_FILE of the environment.' }
} as const

const DEFAULT_URL = 'http://localhost:3001'

export interface OperationsApi {
  /** The lines of a 2xx answer, as they come. @throws CommandError for everything else, and when the answer breaks off */
  lines (path: string, body?: string): AsyncGenerator<string, void>
  /** The body of a 2xx answer; null when it has none. @throws CommandError for everything else */
  ask (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown>
}

/** @throws UsageError, CommandError */
export async function operationsApi (values: OptionValues, { environment, signal }: CommandContext): Promise<OperationsApi> {
  const url = textOption(values, 'url') ?? DEFAULT_URL
  const fault = baseUrlFault('--url', url)
  if (fault !== null) throw new UsageError(fault)
  const headers = { authorization: `Bearer ${await operatorKey(values, environment)}`, 'content-type': 'application/x-ndjson' }

  async function answerTo (path: string, request: RequestInit & { headers?: Record<string, string> }): Promise<Response> {
    const sent = { ...request, headers: { ...headers, ...request.headers }, signal }
    const answer = await fetch(`${withoutTrailingSlash(url)}/v2${path}`, sent).catch((error: unknown) => {
      throw new CommandError([`${url} can't be reached: ${reasonOf(error)}`])
    })
    if (!answer.ok) throw new CommandError([`The broker answers ${answer.status}: ${await detailOf(answer)}`])
    return answer
  }

  return {
    async * lines (path, body) {
      const { body: lines } = await answerTo(path, body === undefined ? {} : { method: 'POST', body })
      if (lines !== null) yield * linesOf(lines)
    },
    async ask (method, path, body) {
      const request = body === undefined ? { method } : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
      const text = await (await answerTo(path, request)).text()
      return text === '' ? null : JSON.parse(text)
    }
  }
}

async function * linesOf (body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      yield * lines
    }
  } catch (error) {
    throw new CommandError([`The answer broke off, it is not whole: ${reasonOf(error)}`])
  }
  if (rest !== '') yield rest
}

async function operatorKey (values: OptionValues, environment: NodeJS.ProcessEnv): Promise<string> {
  const file = textOption(values, 'key-file') ?? environment['OPERATOR_KEY_FILE']
  const key = file === undefined ? environment['OPERATOR_KEY'] : await readKey(file)
  if (key === undefined || key.trim() === '') throw new UsageError('An operator key is needed: --key-file, OPERATOR_KEY or OPERATOR_KEY_FILE.')
  return key.trim()
}

async function readKey (file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((error: unknown) => { throw new CommandError([`${file} can't be read: ${reasonOf(error)}`]) })
}

async function detailOf (answer: Response): Promise<string> {
  const text = await answer.text().catch(() => '')
  try {
    const { detail, invalid_parameters: [first] = [] } = JSON.parse(text) as { detail?: string, invalid_parameters?: Array<{ field: string, reason: string }> }
    return first === undefined ? detail ?? 'no reason is given.' : `${first.field}: ${first.reason}`
  } catch {
    return 'no reason is given.'
  }
}

/** fetch hides why in the cause. */
function reasonOf (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message
}
