// dcr-broker callers revoke: a key or token is no longer accepted. What was registered with it stays.
import { commandLine } from '../../administration/operator.ts'
import { callerDocument } from '../caller-document.ts'
import { callerNamed, callersIn } from '../callers.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { jsonOption, soleArgument } from '../option-values.ts'

export const callersRevoke: Command = {
  usage: 'callers revoke <id or name> [--json]',
  about: 'Revoke a key or token for good; one of the environment stays revoked although it is still set.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    const idOrName = soleArgument(positionals, 'the id or the name of a caller')
    const { caller, wasRevoked } = await withDatabase(context, async prisma =>
      await callersIn(prisma).revoke((await callerNamed(prisma, idOrName)).id, commandLine, null))
    if (values.json === true) context.print(JSON.stringify(callerDocument(caller)))
    else context.print(`${caller.name} (${caller.id}) ${wasRevoked ? 'was revoked before' : 'is revoked'}. Its ${caller.registrations} registrations stay.`)
    return 0
  }
}
