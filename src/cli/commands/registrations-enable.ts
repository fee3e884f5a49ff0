// dcr-broker registrations enable: back from expiry, or from an operator who disabled it.
import { commandLine } from '../../administration/operator.ts'
import { enableClient } from '../../store/registration-administration.ts'
import { UsageError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { jsonOption, providerOf, providerOption, soleArgument } from '../option-values.ts'

export const registrationsEnable: Command = {
  usage: 'registrations enable <client id> [--provider <name>] [--json]',
  about: 'Enable a client that expiry or an operator has disabled. Its age begins anew.',
  options: { provider: providerOption, json: jsonOption },

  async run (values, positionals, context) {
    const clientId = soleArgument(positionals, 'the client id').toLowerCase()
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(clientId)) throw new UsageError('The client id is not acceptable. Accepted: a GUID.')
    const provider = providerOf(values)
    await withDatabase(context, prisma => enableClient(prisma, commandLine, provider, clientId))
    context.print(values.json === true ? JSON.stringify({ client_id: clientId, provider, state: 'active' }) : `Client ${clientId} is enabled.`)
    return 0
  }
}
