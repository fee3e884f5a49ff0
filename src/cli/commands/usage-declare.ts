// dcr-broker usage declare: who reports that clients are used.
import { commandLine } from '../../administration/operator.ts'
import { declareUsageSource } from '../../store/usage-administration.ts'
import { UsageError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { jsonOption, noArguments, providerOf, providerOption, textOption } from '../option-values.ts'

export const usageDeclare: Command = {
  usage: 'usage declare --source <name> | --none [--provider <name>] [--json]',
  about: 'Say who reports the use of a provider\'s clients. Without a source no client expires for want of use.',
  options: {
    source: { type: 'string', about: 'Any name, such as "sign-in logs".' },
    none: { type: 'boolean', about: 'Nobody reports any more.' },
    provider: providerOption,
    json: jsonOption
  },

  async run (values, positionals, context) {
    noArguments(positionals)
    const source = textOption(values, 'source') ?? null
    if ((source === null) !== (values.none === true)) throw new UsageError('Either --source or --none is needed.')
    const provider = providerOf(values)
    await withDatabase(context, prisma => declareUsageSource(prisma, commandLine, provider, source))
    context.print(values.json === true
      ? JSON.stringify({ provider, source })
      : source === null ? `Nobody reports the use of provider ${provider}'s clients.` : `${source} reports the use of provider ${provider}'s clients.`)
    return 0
  }
}
