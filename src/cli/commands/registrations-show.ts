// dcr-broker registrations show: one with its credentials, links and events; never a secret.
import type { Command } from '../command.ts'
import { apiOptions, operationsApi } from '../operations-api.ts'
import { jsonOption, soleArgument } from '../option-values.ts'
import { registrationIdOf } from '../registrations.ts'

export const registrationsShow: Command = {
  usage: 'registrations show <id or client id> [--url <url>] [--key-file <file>] [--json]',
  about: 'Show a registration of a running broker with its credentials, links and events.',
  options: { ...apiOptions, json: jsonOption },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the id of the registration or of the client')
    const api = await operationsApi(values, context)
    const registration = await api.ask('GET', `/registrations/${encodeURIComponent(await registrationIdOf(api, name))}`)
    context.print(JSON.stringify(registration, null, values.json === true ? 0 : 2))
    return 0
  }
}
