// dcr-broker callers list: who may call, the revoked ones too. No key and no token: the database has none.
import { listCallers } from '../../store/caller-administration.ts'
import { callerDocument } from '../caller-document.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { jsonOption, noArguments } from '../option-values.ts'
import { table } from '../table.ts'

export const callersList: Command = {
  usage: 'callers list [--json]',
  about: 'List keys, tokens and services that may call, or might once.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    noArguments(positionals)
    const callers = (await withDatabase(context, listCallers)).map(callerDocument)
    if (values.json === true) context.print(JSON.stringify(callers))
    else {
      table(['ID', 'KIND', 'NAME', 'STATE', 'PROVIDER', 'SCOPES', 'POLICY', 'REGISTRATIONS', 'EXPIRES', 'LAST USED'], callers.map(caller => [
        caller.id, caller.kind, caller.name, caller.state, caller.provider, caller.scopes.join(','), caller.policy,
        caller.max_registrations === null ? caller.registrations : `${caller.registrations} of ${caller.max_registrations}`,
        caller.expires_at, caller.last_used_at
      ])).forEach(context.print)
    }
    return 0
  }
}
