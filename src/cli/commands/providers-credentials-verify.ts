// dcr-broker providers credentials verify: as providers verify, with one credential.
import { commandLine } from '../../administration/operator.ts'
import type { Command } from '../command.ts'
import { jsonOption } from '../option-values.ts'
import { credentialArguments, providerCalled, withProviders } from '../provider-parts.ts'
import { printVerification } from './providers-verify.ts'

export const providersCredentialsVerify: Command = {
  usage: 'providers credentials verify <provider> <credential id> [--json]',
  about: 'Verify a credential, in use or standing by. Exit code 1 when something is wrong.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    const { name, credentialId } = credentialArguments(positionals)
    const verification = await withProviders(context, async api => await api.credentials.verify(await providerCalled(api, name), credentialId, commandLine))
    return printVerification(verification, values.json === true, context)
  }
}
