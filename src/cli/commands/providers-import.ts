// dcr-broker providers import: the environment's provider becomes one of the database.
import { commandLine } from '../../administration/operator.ts'
import { DEFAULT_PROVIDER_NAME } from '../../administration/provider-records.ts'
import { UsageError, type Command } from '../command.ts'
import { jsonOption } from '../option-values.ts'
import { providerDocument } from '../provider-document.ts'
import { providerCalled, withProviders } from '../provider-parts.ts'

export const providersImport: Command = {
  usage: 'providers import [default] [--json]',
  about: 'Keep the provider of the environment in the database, its credential sealed; AZURE_* is ignored from then on. Needs the broker\'s environment.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    const [name = DEFAULT_PROVIDER_NAME, ...rest] = positionals
    if (rest.length > 0) throw new UsageError(`Unexpected argument: ${rest.join(' ')}`)
    const provider = await withProviders(context, async api =>
      providerDocument(await api.providers.adopt(await providerCalled(api, name), commandLine), api.environment))
    context.print(values.json === true ? JSON.stringify(provider) : `The provider ${provider.name} (${provider.id}) is kept in the database now; AZURE_* is ignored.`)
    return 0
  }
}
