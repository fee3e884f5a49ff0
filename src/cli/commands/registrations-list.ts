// dcr-broker registrations list: the newest first.
import type { Command } from '../command.ts'
import { apiOptions, operationsApi } from '../operations-api.ts'
import { jsonOption, noArguments, textOption, wholeNumberOption } from '../option-values.ts'
import { listRegistrations } from '../registrations.ts'
import { table } from '../table.ts'

const DEFAULT_LIMIT = 50
const MOST = 1_000

export const registrationsList: Command = {
  usage: 'registrations list [--state <state>] [--provider <name>] [--name <text>] [--limit <n>] [--url <url>] [--key-file <file>] [--json]',
  about: 'List the registrations of a running broker, the newest first.',
  options: {
    state: { type: 'string', about: 'Only those in this state, e.g. drifted.' },
    provider: { type: 'string', about: 'Only those of the provider of this name.' },
    name: { type: 'string', about: 'Only those whose client name contains this.' },
    limit: { type: 'string', about: `Most registrations, up to ${MOST}; ${DEFAULT_LIMIT} if left out.` },
    ...apiOptions,
    json: jsonOption
  },

  async run (values, positionals, context) {
    noArguments(positionals)
    const [state, provider, name] = ['state', 'provider', 'name'].map(option => textOption(values, option))
    const filters = {
      ...(state === undefined ? {} : { 'filter[state][eq]': state }),
      ...(provider === undefined ? {} : { 'filter[provider][eq]': provider }),
      ...(name === undefined ? {} : { 'filter[client_name][contains]': name })
    }
    const limit = wholeNumberOption(values, 'limit', MOST) ?? DEFAULT_LIMIT
    const found = await listRegistrations(await operationsApi(values, context), filters, limit)
    if (values.json === true) context.print(JSON.stringify(found))
    else {
      table(['ID', 'CLIENT ID', 'NAME', 'STATE', 'PROVIDER', 'SURFACE', 'FAULT', 'CREATED', 'LAST USED'], found.map(each => [
        each.id, each.client_id, each.client_name, each.state, each.provider, each.surface, each.last_fault, each.created_at,
        each.last_used_at
      ])).forEach(context.print)
    }
    return 0
  }
}
