// dcr-broker installation renew: a copied database becomes an installation of its own.
import { commandLine } from '../../administration/operator.ts'
import { renewInstallation } from '../../store/installation-administration.ts'
import { UsageError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { jsonOption, noArguments } from '../option-values.ts'

export const installationRenew: Command = {
  usage: 'installation renew --yes [--json]',
  about: 'Of a COPY of a database: take a new id and let go of every registration without touching Entra. Before a broker starts on the copy.',
  options: { yes: { type: 'boolean', about: 'This is a copy: the original goes on elsewhere.' }, json: jsonOption },

  async run (values, positionals, context) {
    noArguments(positionals)
    if (values.yes !== true) throw new UsageError('--yes is missing: every registration in this database ends here, and its secrets are erased. The original keeps its own.')
    const { id, formerId, released } = await withDatabase(context, prisma => renewInstallation(prisma, commandLine))
    context.print(values.json === true
      ? JSON.stringify({ id, former_id: formerId, released })
      : `This database is now installation ${id}, no longer ${formerId}. ${released} registrations were let go; their applications in Entra were not touched.`)
    return 0
  }
}
