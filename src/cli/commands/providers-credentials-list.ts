// dcr-broker providers credentials list.
import type { Command } from '../command.ts'
import { jsonOption, soleArgument } from '../option-values.ts'
import { credentialDocument } from '../provider-document.ts'
import { providerCalled, withProviders } from '../provider-parts.ts'
import { table } from '../table.ts'

export const providersCredentialsList: Command = {
  usage: 'providers credentials list <provider> [--json]',
  about: 'List the broker\'s credentials at a provider; none of the environment\'s.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the name or id of the provider')
    const credentials = await withProviders(context, async api =>
      (await api.credentials.list(await providerCalled(api, name))).map(credentialDocument))
    if (values.json === true) context.print(JSON.stringify(credentials))
    else {
      table(['ID', 'STATE', 'KIND', 'CLIENT', 'HINT', 'EXPIRES', 'VERIFIED'], credentials.map(each => [
        each.id, each.state, each.kind, each.client_id, each.hint?.slice(0, 12) ?? null, each.expires_at, each.verified_at
      ])).forEach(context.print)
    }
    return 0
  }
}
