// dcr-broker scopes list.
import { listScopes } from '../../store/scope-administration.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { jsonOption, noArguments, textOption } from '../option-values.ts'
import { table } from '../table.ts'

export const scopesList: Command = {
  usage: 'scopes list [--provider <name>] [--json]',
  about: 'List the scopes that callers may register.',
  options: { provider: { type: 'string', about: 'Name of the provider; all if left out.' }, json: jsonOption },

  async run (values, positionals, context) {
    noArguments(positionals)
    const provider = textOption(values, 'provider') ?? null
    const scopes = await withDatabase(context, prisma => listScopes(prisma, provider))
    const rows = scopes.map(({ name, providerName, resourceAppId, permissionId, type, granted }) =>
      ({ name, provider: providerName, resource: resourceAppId, permission: permissionId, type, granted }))
    if (values.json === true) context.print(JSON.stringify(rows))
    else table(['NAME', 'PROVIDER', 'RESOURCE', 'PERMISSION', 'TYPE', 'GRANTED'], rows.map(row => Object.values(row).map(String))).forEach(context.print)
    return 0
  }
}
