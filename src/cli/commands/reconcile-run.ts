// dcr-broker reconcile run: over a running broker, which asks Entra.
import type { Command } from '../command.ts'
import { apiOptions, operationsApi } from '../operations-api.ts'
import { jsonOption, noArguments, textOption } from '../option-values.ts'
import { printDryRun, printReport, runToItsEnd } from '../reconciliation.ts'

export const reconcileRun: Command = {
  usage: 'reconcile run [--dry-run] [--provider <name>] [--url <url>] [--key-file <file>] [--json]',
  about: 'Compare Entra with the registrations now, and wait for the end.',
  options: {
    'dry-run': { type: 'boolean', about: 'Change nothing; say what would be done.' },
    provider: { type: 'string', about: 'Only at the provider of this name.' },
    ...apiOptions,
    json: jsonOption
  },

  async run (values, positionals, context) {
    noArguments(positionals)
    const isDry = values['dry-run'] === true
    const reports = await runToItsEnd(await operationsApi(values, context), textOption(values, 'provider'), isDry, context.signal)
    if (values.json === true) context.print(JSON.stringify(reports))
    else for (const report of reports) (isDry ? printDryRun : printReport)(report, context.print)
    return reports.some(({ fault, dry_run: dryRun }) => isDry ? dryRun === undefined : fault !== null) ? 1 : 0
  }
}
