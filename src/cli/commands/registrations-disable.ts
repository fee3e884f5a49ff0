// dcr-broker registrations disable: over a running broker, because Entra has to be told.
import type { Command } from '../command.ts'
import { apiOptions, operationsApi } from '../operations-api.ts'
import { jsonOption, soleArgument } from '../option-values.ts'
import { registrationIdOf, type RegistrationDocument } from '../registrations.ts'

export const registrationsDisable: Command = {
  usage: 'registrations disable <id or client id> [--url <url>] [--key-file <file>] [--json]',
  about: 'Switch a client off in Entra: it gets no more tokens until it is enabled.',
  options: { ...apiOptions, json: jsonOption },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the id of the registration or of the client')
    const api = await operationsApi(values, context)
    const registration = await api.ask('POST', `/registrations/${encodeURIComponent(await registrationIdOf(api, name))}/disable`) as RegistrationDocument
    context.print(values.json === true ? JSON.stringify(registration) : `Registration ${registration.id} is ${registration.state} now.`)
    return 0
  }
}
