// dcr-broker export: all registrations of a running broker, a line each.
import { open } from 'node:fs/promises'
import { CommandError, UsageError, type Command } from '../command.ts'
import { apiOptions, operationsApi } from '../operations-api.ts'
import { jsonOption, noArguments, textOption } from '../option-values.ts'
import { transferProgress } from '../transfer-progress.ts'

export const exportCommand: Command = {
  usage: 'export [--file <file>] [--filter <field=value,…>] [--url <url>] [--key-file <file>] [--json]',
  about: 'Write the registrations of a running broker as JSON lines, oldest first, without secrets.',
  options: {
    file: { type: 'string', about: 'A new file; the standard output if left out.' },
    filter: { type: 'string', about: 'Filters of the list, as in state=active,provider=default.' },
    ...apiOptions,
    json: jsonOption
  },

  async run (values, positionals, context) {
    noArguments(positionals)
    const [file, query] = [textOption(values, 'file'), queryOf(textOption(values, 'filter'))]
    const api = await operationsApi(values, context)
    const output = file === undefined ? null : await newFile(file)
    const progress = transferProgress(process.stderr, 'registrations')
    let count = 0
    try {
      for await (const line of api.lines(`/registrations/export${query}`)) {
        if (output === null) context.print(line)
        else await output.write(`${line}\n`)
        count += 1
        progress.count(count)
      }
    } finally {
      progress.end()
      await output?.close()
    }
    if (file !== undefined) context.print(values.json === true ? JSON.stringify({ file, registrations: count }) : `${count} registrations are in ${file}.`)
    return 0
  }
}

function queryOf (filter: string | undefined): string {
  if (filter === undefined) return ''
  return `?${new URLSearchParams(filter.split(',').map((condition): [string, string] => {
    const [, field, value] = /^([\w.-]+)=(.*)$/s.exec(condition) ?? []
    if (field === undefined || value === undefined) throw new UsageError('--filter is not acceptable. Accepted: field=value, several separated by commas.')
    return [`filter[${field}]`, value]
  })).toString()}`
}

async function newFile (file: string) {
  return await open(file, 'wx', 0o600).catch((error: unknown) => {
    throw new CommandError([`${file} can't be made: ${error instanceof Error ? error.message : String(error)}`])
  })
}
