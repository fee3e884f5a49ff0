// dcr-broker callers bind: under which policy, and how often, an existing caller registers.
import { commandLine } from '../../administration/operator.ts'
import { bindCaller } from '../../store/caller-administration.ts'
import { callerDocument } from '../caller-document.ts'
import { UsageError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { jsonOption, soleArgument, textOption, wholeNumberOption } from '../option-values.ts'

const MOST_REGISTRATIONS = 1_000_000

export const callersBind: Command = {
  usage: 'callers bind <id or name> [--policy <name>] [--max-registrations <n>] [--json]',
  about: 'Bind a caller, such as a service that registers with its Entra token, to a policy and a quota. Its clients keep the policy they have.',
  options: {
    policy: { type: 'string', about: 'Name of the policy.' },
    'max-registrations': { type: 'string', about: 'Most registrations it may ever make.' },
    json: jsonOption
  },

  async run (values, positionals, context) {
    const idOrName = soleArgument(positionals, 'the id or the name of a caller')
    const policyName = textOption(values, 'policy')
    const maxRegistrations = wholeNumberOption(values, 'max-registrations', MOST_REGISTRATIONS)
    if (policyName === undefined && maxRegistrations === null) throw new UsageError('Nothing to bind: give --policy, --max-registrations or both.')
    const bound = { ...(policyName === undefined ? {} : { policyName }), ...(maxRegistrations === null ? {} : { maxRegistrations }) }
    const caller = await withDatabase(context, prisma => bindCaller(prisma, commandLine, idOrName, bound))
    if (values.json === true) context.print(JSON.stringify(callerDocument(caller)))
    else context.print(`${caller.name} (${caller.id}) registers under the policy ${caller.policyName ?? 'default'}, at most ${caller.maxRegistrations ?? 'any number of'} clients.`)
    return 0
  }
}
