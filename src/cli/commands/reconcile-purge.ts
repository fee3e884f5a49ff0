// dcr-broker reconcile purge: away with an application that no registration knows.
import { UsageError, type Command } from '../command.ts'
import { apiOptions, operationsApi } from '../operations-api.ts'
import { jsonOption, soleArgument } from '../option-values.ts'

export const reconcilePurge: Command = {
  usage: 'reconcile purge <appId> --yes [--url <url>] [--key-file <file>] [--json]',
  about: 'Delete an application for good that this installation has made and no registration knows.',
  options: { yes: { type: 'boolean', about: 'Nobody uses it: it can\'t be restored.' }, ...apiOptions, json: jsonOption },

  async run (values, positionals, context) {
    const clientId = soleArgument(positionals, 'the appId')
    if (values.yes !== true) throw new UsageError('--yes is missing: the application is deleted in Entra for good, and its client gets no more tokens.')
    const api = await operationsApi(values, context)
    await api.ask('POST', `/reconciliation/applications/${encodeURIComponent(clientId)}/purge`)
    context.print(values.json === true ? JSON.stringify({ client_id: clientId, purged: true }) : `Application ${clientId} is purged.`)
    return 0
  }
}
