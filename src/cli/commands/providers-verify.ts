// dcr-broker providers verify: really, with a test application.
import { commandLine } from '../../administration/operator.ts'
import type { Verification } from '../../administration/provider-verification.ts'
import type { Command, CommandContext, ExitCode } from '../command.ts'
import { jsonOption, soleArgument } from '../option-values.ts'
import { providerCalled, withProviders } from '../provider-parts.ts'
import { table } from '../table.ts'

export const providersVerify: Command = {
  usage: 'providers verify <name or id> [--json]',
  about: 'Get a token, make and remove a test application, and say what is wrong. Exit code 1 when something is.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the name or id of the provider')
    const verification = await withProviders(context, async api => await api.providers.verify(await providerCalled(api, name), commandLine))
    return printVerification(verification, values.json === true, context)
  }
}

/** The exit code says whether it is ok. */
export function printVerification (verification: Verification, asJson: boolean, { print }: CommandContext): ExitCode {
  if (asJson) print(JSON.stringify(verification))
  else table(['CHECK', 'OUTCOME', 'DETAIL'], verification.findings.map(({ check, outcome, detail }) => [check, outcome, detail])).forEach(print)
  return verification.ok ? 0 : 1
}
