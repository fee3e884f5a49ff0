// dcr-broker registrations resume: over a running broker, because Entra has to be told.
import type { Command } from '../command.ts'
import { apiOptions, operationsApi } from '../operations-api.ts'
import { jsonOption, soleArgument } from '../option-values.ts'
import { registrationIdOf, type RegistrationDocument } from '../registrations.ts'

export const registrationsResume: Command = {
  usage: 'registrations resume <id or client id> [--url <url>] [--key-file <file>] [--json]',
  about: 'Make a stuck registration due at once; of a drifted one, look whether its application was restored.',
  options: { ...apiOptions, json: jsonOption },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the id of the registration or of the client')
    const api = await operationsApi(values, context)
    const registration = await api.ask('POST', `/registrations/${encodeURIComponent(await registrationIdOf(api, name))}/resume`) as RegistrationDocument
    context.print(values.json === true ? JSON.stringify(registration) : `Registration ${registration.id} is ${registration.state} now.`)
    return 0
  }
}
