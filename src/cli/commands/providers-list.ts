// dcr-broker providers list.
import type { Command } from '../command.ts'
import { jsonOption, noArguments } from '../option-values.ts'
import { providerDocument } from '../provider-document.ts'
import { withProviders } from '../provider-parts.ts'
import { table } from '../table.ts'

const MOST = 1_000

export const providersList: Command = {
  usage: 'providers list [--json]',
  about: 'List the DCR providers, that is the Entra tenants.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    noArguments(positionals)
    const providers = await withProviders(context, async ({ providers, environment }) => {
      const { rows } = await providers.list({ filters: [], sort: { field: 'name', descending: false }, size: MOST, start: { number: 1 } }, null)
      return rows.map(provider => providerDocument(provider, environment))
    })
    if (values.json === true) context.print(JSON.stringify(providers))
    else {
      table(['NAME', 'ID', 'ORIGIN', 'TENANT', 'CLIENT', 'CREDENTIAL', 'EXPIRES', 'ACTIVE'], providers.map(provider => [
        provider.name, provider.id, provider.origin, provider.tenant_id, provider.dcr_config.initial_client_id,
        provider.credential?.kind ?? null, provider.credential?.expires_at ?? null, provider.active ? 'yes' : 'no'
      ])).forEach(context.print)
    }
    return 0
  }
}
