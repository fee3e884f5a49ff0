// dcr-broker usage report: what a declared source has seen.
import { readFile } from 'node:fs/promises'
import { commandLine } from '../../administration/operator.ts'
import { recordUse } from '../../store/usage-administration.ts'
import { CommandError, UsageError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { jsonOption, noArguments, providerOf, providerOption, requiredOption } from '../option-values.ts'

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export const usageReport: Command = {
  usage: 'usage report --file <file> --until <time> [--provider <name>] [--json]',
  about: 'Hand in what the declared source has seen: lines of {"client_id": …, "at": …}, the latest use of each client.',
  options: {
    file: { type: 'string', about: 'JSON lines; an empty file says that no client was used.' },
    until: { type: 'string', about: 'The report is complete up to this time (ISO 8601).' },
    provider: providerOption,
    json: jsonOption
  },

  async run (values, positionals, context) {
    noArguments(positionals)
    const until = timeOf(requiredOption(values, 'until'))
    if (until === null) throw new UsageError('--until is not acceptable. Accepted: a time such as 2026-11-24T00:00:00Z.')
    const uses = usesIn(await read(requiredOption(values, 'file')))
    const provider = providerOf(values)
    const known = await withDatabase(context, prisma => recordUse(prisma, commandLine, provider, until, uses))
    context.print(values.json === true
      ? JSON.stringify({ provider, until: until.toISOString(), reported: uses.size, known })
      : `${uses.size} clients were used until ${until.toISOString()}; ${known} of them are known here.`)
    return 0
  }
}

async function read (file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new CommandError([`${file} can't be read: ${error instanceof Error ? error.message : String(error)}`])
  }
}

/** Every faulty line is named; of several uses of a client the latest counts. */
function usesIn (text: string): Map<string, Date> {
  const uses = new Map<string, Date>()
  const faults: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const use = useIn(line)
    if (use === null) faults.push(`Line ${index + 1} is not {"client_id": "<GUID>", "at": "<time>"}.`)
    else if (!(use.at <= (uses.get(use.clientId) ?? new Date(0)))) uses.set(use.clientId, use.at)
  }
  if (faults.length > 0) throw new CommandError(faults.slice(0, 20))
  return uses
}

function useIn (line: string): { clientId: string, at: Date } | null {
  try {
    const { client_id: clientId, at } = JSON.parse(line) as { client_id?: unknown, at?: unknown }
    const time = typeof at === 'string' ? timeOf(at) : null
    return typeof clientId === 'string' && GUID.test(clientId) && time !== null ? { clientId: clientId.toLowerCase(), at: time } : null
  } catch {
    return null
  }
}

function timeOf (text: string): Date | null {
  const time = new Date(text)
  return /^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time.getTime()) ? time : null
}
