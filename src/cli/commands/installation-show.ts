// dcr-broker installation show: which installation a database belongs to.
import { showInstallation } from '../../store/installation-administration.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { jsonOption, noArguments } from '../option-values.ts'

export const installationShow: Command = {
  usage: 'installation show [--json]',
  about: 'Show the id that every application of this installation carries as a tag in Entra.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    noArguments(positionals)
    const { id, createdAt, livingRegistrations } = await withDatabase(context, showInstallation)
    context.print(values.json === true
      ? JSON.stringify({ id, created_at: createdAt, living_registrations: livingRegistrations })
      : `${id}, since ${createdAt.toISOString()}, ${livingRegistrations} living registrations. Its applications carry the tag dcr-inst:${id}.`)
    return 0
  }
}
