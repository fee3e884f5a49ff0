// dcr-broker callers bind: what an existing caller may do, under which policy, how often and how long.
import type { CallerChanges } from '../../administration/callers-port.ts'
import { commandLine } from '../../administration/operator.ts'
import { callerDocument } from '../caller-document.ts'
import { callerNamed, callersIn } from '../callers.ts'
import { UsageError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { durationOption, jsonOption, listOption, soleArgument, textOption, wholeNumberOption, type OptionValues } from '../option-values.ts'

const MOST_REGISTRATIONS = 1_000_000

export const callersBind: Command = {
  usage: 'callers bind <id or name> [--policy <name>] [--max-registrations <n>] [--scopes <list>] [--expires-in 30d] [--name <name>] [--json]',
  about: 'Bind a caller, such as a service that registers with its Entra token, to a policy, a quota, scopes or an end. Its clients keep the policy they have.',
  options: {
    policy: { type: 'string', about: 'Name of the policy.' },
    'max-registrations': { type: 'string', about: 'Most registrations it may ever make.' },
    scopes: { type: 'string', about: 'What it may do from now on; separated by commas.' },
    'expires-in': { type: 'string', about: 'When it ends, from now: as in 30m, 12h, 30d.' },
    name: { type: 'string', about: 'Its new name.' },
    json: jsonOption
  },

  async run (values, positionals, context) {
    const idOrName = soleArgument(positionals, 'the id or the name of a caller')
    const changes = changesOf(values)
    if (Object.keys(changes).length === 0) throw new UsageError('Nothing to bind: give --policy, --max-registrations, --scopes, --expires-in or --name.')
    const caller = await withDatabase(context, async prisma =>
      await callersIn(prisma).change((await callerNamed(prisma, idOrName)).id, changes, commandLine, null))
    const document = callerDocument(caller)
    if (values.json === true) context.print(JSON.stringify(document))
    else {
      context.print(`${caller.name} (${caller.id}) may ${caller.scopes.join(', ') || 'nothing'}; policy ${caller.policyName ?? 'default'}, ` +
        `at most ${caller.maxRegistrations ?? 'any number of'} registrations, ${document.expires_at === null ? 'no end' : `until ${document.expires_at}`}.`)
    }
    return 0
  }
}

function changesOf (values: OptionValues): CallerChanges {
  const [name, policyName, scopes] = [textOption(values, 'name'), textOption(values, 'policy'), listOption(values, 'scopes')]
  const maxRegistrations = wholeNumberOption(values, 'max-registrations', MOST_REGISTRATIONS)
  const expiresInMs = durationOption(values, 'expires-in')
  return {
    ...(name === undefined ? {} : { name }),
    ...(policyName === undefined ? {} : { policyName }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(maxRegistrations === null ? {} : { maxRegistrations }),
    ...(expiresInMs === null ? {} : { expiry: { inMs: expiresInMs } })
  }
}
