// dcr-broker reconcile release: after a restore, once its findings are decided.
import { UsageError, type Command } from '../command.ts'
import { apiOptions, operationsApi } from '../operations-api.ts'
import { jsonOption, noArguments, textOption } from '../option-values.ts'

export const reconcileRelease: Command = {
  usage: 'reconcile release --yes [--provider <name>] [--url <url>] [--key-file <file>] [--json]',
  about: 'Let the reconciler remove again what it finds, after a restore.',
  options: {
    yes: { type: 'boolean', about: 'Every application in the report was looked at.' },
    provider: { type: 'string', about: 'Only the provider of this name.' },
    ...apiOptions,
    json: jsonOption
  },

  async run (values, positionals, context) {
    noArguments(positionals)
    if (values.yes !== true) throw new UsageError('--yes is missing: the next run removes late applications and stray secrets again. Look at dcr-broker reconcile report first.')
    const provider = textOption(values, 'provider')
    const api = await operationsApi(values, context)
    const { released } = await api.ask('POST', '/reconciliation/release', provider === undefined ? {} : { provider }) as { released: string[] }
    if (values.json === true) context.print(JSON.stringify({ released }))
    else context.print(released.length === 0 ? 'Nothing was on hold.' : `Released: ${released.join(', ')}.`)
    return 0
  }
}
