// dcr-broker import: lines of clients to a running broker, a report of each.
import { open, readFile, type FileHandle } from 'node:fs/promises'
import { CommandError, type Command, type CommandContext } from '../command.ts'
import { apiOptions, operationsApi, type OperationsApi } from '../operations-api.ts'
import { jsonOption, requiredOption, soleArgument } from '../option-values.ts'
import { transferProgress } from '../transfer-progress.ts'

/** Lines of one request: far below what the broker takes, so that none is read for longer than it waits. */
const LINES_PER_REQUEST = 500

const outcomes = ['created', 'unchanged', 'refused', 'failed'] as const
type Counts = Record<typeof outcomes[number], number>

export const importCommand: Command = {
  usage: 'import <file> --report <file> [--url <url>] [--key-file <file>] [--json]',
  about: 'Register the clients of a file of JSON lines: {"document": {…}, "key": …, "provider": …, "labels": {…}, "owner": …}. Lines with a key may be repeated.',
  options: {
    report: { type: 'string', about: 'A new file for what became of each line, client secrets among it: nobody else may read it.' },
    ...apiOptions,
    json: jsonOption
  },

  async run (values, positionals, context) {
    const file = soleArgument(positionals, 'the file')
    const lines = (await read(file)).split('\n')
    const reportFile = requiredOption(values, 'report')
    const api = await operationsApi(values, context)
    const report = await newFile(reportFile)
    const counts = await importAll(api, lines, report, context).finally(async () => { await report.close() })
    context.print(values.json === true
      ? JSON.stringify({ report: reportFile, ...counts })
      : `${outcomes.map(outcome => `${counts[outcome]} ${outcome}`).join(', ')}; the report is in ${reportFile}.`)
    return counts.refused + counts.failed === 0 ? 0 : 1
  }
}

/** Each report is on disk before the next one is read: whatever breaks off, what was shown is kept. */
async function importAll (api: OperationsApi, lines: readonly string[], report: FileHandle, { signal }: CommandContext): Promise<Counts> {
  const counts: Counts = { created: 0, unchanged: 0, refused: 0, failed: 0 }
  const progress = transferProgress(process.stderr, 'lines', lines.filter(line => line.trim() !== '').length)
  let done = 0
  try {
    for (let offset = 0; offset < lines.length; offset += LINES_PER_REQUEST) {
      signal.throwIfAborted()
      const part = lines.slice(offset, offset + LINES_PER_REQUEST)
      if (part.every(line => line.trim() === '')) continue
      for await (const text of api.lines('/registrations/import', part.join('\n'))) {
        const { line, ...rest } = JSON.parse(text) as { line: number, outcome: keyof Counts }
        await report.write(`${JSON.stringify({ line: line + offset, ...rest })}\n`)
        counts[rest.outcome] += 1
        done += 1
        progress.count(done)
      }
    }
  } finally {
    progress.end()
  }
  return counts
}

async function read (file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((error: unknown) => { throw new CommandError([`${file} can't be read: ${reasonOf(error)}`]) })
}

async function newFile (file: string): Promise<FileHandle> {
  return await open(file, 'wx', 0o600).catch((error: unknown) => { throw new CommandError([`${file} can't be made: ${reasonOf(error)}`]) })
}

function reasonOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
