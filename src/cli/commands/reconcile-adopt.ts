// dcr-broker reconcile adopt: the registration of an application that the database has lost.
import { UsageError, type Command } from '../command.ts'
import { apiOptions, operationsApi } from '../operations-api.ts'
import { guidOption, jsonOption, soleArgument } from '../option-values.ts'

export const reconcileAdopt: Command = {
  usage: 'reconcile adopt <appId> --yes [--caller <id>] [--url <url>] [--key-file <file>] [--json]',
  about: 'Make the registration of an application again that this installation has made and the database does not know.',
  options: {
    yes: { type: 'boolean', about: 'It is this installation\'s, and its client is to go on.' },
    caller: { type: 'string', about: 'Id of the caller whose client it becomes, e.g. Konnect\'s key; the operator\'s if left out.' },
    ...apiOptions,
    json: jsonOption
  },

  async run (values, positionals, context) {
    const clientId = soleArgument(positionals, 'the appId')
    if (values.yes !== true) throw new UsageError('--yes is missing: the registration is made from what Entra shows; what only the database knew is not brought back.')
    const body = values.caller === undefined ? {} : { caller_id: guidOption(values, 'caller') }
    const api = await operationsApi(values, context)
    const { id } = await api.ask('POST', `/reconciliation/applications/${encodeURIComponent(clientId)}/adopt`, body) as { id: string }
    context.print(values.json === true ? JSON.stringify({ client_id: clientId, id }) : `Client ${clientId} is registration ${id} again.`)
    return 0
  }
}
