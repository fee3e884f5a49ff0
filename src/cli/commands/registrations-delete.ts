// dcr-broker registrations delete: over a running broker, because Entra has to be told.
import type { Command } from '../command.ts'
import { apiOptions, operationsApi } from '../operations-api.ts'
import { jsonOption, soleArgument } from '../option-values.ts'
import { registrationIdOf } from '../registrations.ts'

export const registrationsDelete: Command = {
  usage: 'registrations delete <id or client id> [--purge] [--url <url>] [--key-file <file>] [--json]',
  about: 'End a client: its id, secrets and tokens at once.',
  options: { purge: { type: 'boolean', about: 'Remove the application for good, too: it can\'t be restored in Entra.' }, ...apiOptions, json: jsonOption },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the id of the registration or of the client')
    const api = await operationsApi(values, context)
    const id = await registrationIdOf(api, name)
    await api.ask('DELETE', `/registrations/${encodeURIComponent(id)}${values.purge === true ? '?purge=true' : ''}`)
    context.print(values.json === true ? JSON.stringify({ id, deleted: true }) : `Registration ${id} is deleted.`)
    return 0
  }
}
