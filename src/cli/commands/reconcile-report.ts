// dcr-broker reconcile report: what the latest runs found, and whether anything is on hold.
import type { Command } from '../command.ts'
import { apiOptions, operationsApi } from '../operations-api.ts'
import { jsonOption, noArguments, textOption } from '../option-values.ts'
import { printReport, readReports } from '../reconciliation.ts'

export const reconcileReport: Command = {
  usage: 'reconcile report [--provider <name>] [--url <url>] [--key-file <file>] [--json]',
  about: 'Show how Entra and the registrations agree at each provider.',
  options: { provider: { type: 'string', about: 'Only the provider of this name.' }, ...apiOptions, json: jsonOption },

  async run (values, positionals, context) {
    noArguments(positionals)
    const reports = await readReports(await operationsApi(values, context), textOption(values, 'provider'))
    if (values.json === true) context.print(JSON.stringify(reports))
    else reports.forEach(report => printReport(report, context.print))
    return 0
  }
}
